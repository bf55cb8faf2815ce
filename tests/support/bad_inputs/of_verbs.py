"""Verbs on jobs that do not allow them: the status, the lifecycle, or what else is in the way."""

from __future__ import annotations

from typing import Any, Final

from interlock.v1 import job_service_pb2 as pb
from tests.support.api_methods import METHODS
from tests.support.bad_inputs.of_jobs import BAD_INSTANTS, BAD_JSON
from tests.support.bad_inputs.row import BadInput

_ILLEGAL: Final = ("status", "allowed")
#: verb, attribute of the scene with the job, fields, reason, metadata.
_REFUSED: Final[list[tuple[str, str, dict[str, Any], str, tuple[str, ...]]]] = [
    ("HoldJobs", "running", {}, "ILLEGAL_TRANSITION", _ILLEGAL),
    ("HoldJobs", "pending", {}, "WRONG_LIFECYCLE", ("lifecycle",)),
    ("ReleaseJobs", "queued", {}, "ILLEGAL_TRANSITION", _ILLEGAL),
    ("ReleaseJobs", "running_uipath", {}, "WRONG_LIFECYCLE", ("lifecycle",)),
    ("CancelJobs", "running", {}, "ILLEGAL_TRANSITION", _ILLEGAL),
    ("CancelJobs", "asking", {}, "ILLEGAL_TRANSITION", _ILLEGAL),
    ("CancelJobs", "pending", {}, "WRONG_LIFECYCLE", ("lifecycle",)),
    ("KillJobs", "queued", {}, "ILLEGAL_TRANSITION", _ILLEGAL),
    ("KillJobs", "held", {}, "ILLEGAL_TRANSITION", _ILLEGAL),
    ("StopJobs", "running", {}, "WRONG_LIFECYCLE", ("lifecycle",)),
    ("ResumeJobs", "running_uipath", {}, "ILLEGAL_TRANSITION", _ILLEGAL),
    ("ResumeJobs", "pending", {}, "ILLEGAL_TRANSITION", _ILLEGAL),
    ("ResumeJobs", "running", {}, "WRONG_LIFECYCLE", ("lifecycle",)),
    ("RestartJobs", "running", {}, "NOT_FINAL", ("status",)),
    ("RestartJobs", "suspended", {}, "NOT_FINAL", ("status",)),
    ("RestartJobs", "final_uipath", {"hold": True}, "WRONG_LIFECYCLE", ()),
    ("RescheduleJobs", "running", {}, "ILLEGAL_TRANSITION", _ILLEGAL),
    ("RescheduleJobs", "pending", {}, "WRONG_LIFECYCLE", ("lifecycle",)),
    ("SetJobPriority", "running", {"priority": 60}, "ILLEGAL_TRANSITION", _ILLEGAL),
    ("SetJobPriority", "queued", {}, "INVALID_NUMBER", ()),
    ("SetJobPriority", "queued", {"priority": 101}, "INVALID_NUMBER", ()),
    ("SetJobPriority", "queued", {"priority": -(1 << 31)}, "INVALID_NUMBER", ()),
    ("CompleteJobs", "running", {}, "NOT_EXTERNAL", ()),
    ("CompleteJobs", "running_uipath", {}, "WRONG_LIFECYCLE", ("lifecycle",)),
    ("DisableJobs", "queued", {}, "ILLEGAL_TRANSITION", _ILLEGAL),
    ("DisableJobs", "step", {}, "ILLEGAL_TRANSITION", _ILLEGAL),
    ("DisableJobs", "pending", {}, "WRONG_LIFECYCLE", ("lifecycle",)),
    ("EnableJobs", "running", {}, "ILLEGAL_TRANSITION", _ILLEGAL),
    ("EnableJobs", "pending", {}, "WRONG_LIFECYCLE", ("lifecycle",)),
    ("RestartJobs", "final", {"start_at_step": "load"}, "STEP_NOT_FOUND", ("step",)),
    ("RestartJobs", "final", {"from_error": True}, "INVALID_FIELD", ()),
    ("RestartJobs", "final_uipath", {"from_error": True}, "INVALID_FIELD", ()),
    (
        *("RestartJobs", "final", {"from_error": True, "start_at_step": "load"}),
        *("INVALID_FIELD", ()),
    ),
]
#: Verbs that a final job of either lifecycle refuses; RestartJobs is for final jobs.
_FINAL: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("HoldJobs", "final", {}),
    ("ReleaseJobs", "final", {}),
    ("CancelJobs", "final", {}),
    ("KillJobs", "final", {}),
    ("KillJobs", "final_uipath", {}),
    ("StopJobs", "final_uipath", {}),
    ("ResumeJobs", "final_uipath", {}),
    ("RescheduleJobs", "final", {}),
    ("SetJobPriority", "final", {"priority": 60}),
    ("SetJobPriority", "final_uipath", {"priority": 60}),
    ("CompleteJobs", "final", {}),
    ("DisableJobs", "final", {}),
    ("EnableJobs", "final", {}),
)


def _row(
    verb: str, job: str, fields: dict[str, Any], reason: str, metadata: tuple[str, ...]
) -> BadInput:
    rpc = f"JobService/{verb}"
    request: Any = METHODS[rpc].request
    what = f"a job that is {job.replace('_', ' ')}"
    if fields:
        what += " with " + ", ".join(f"{name} {value}" for name, value in fields.items())
    return BadInput(
        rpc,
        what,
        lambda scene: request(jobs=[getattr(scene, job)], **fields),
        reason,
        metadata=metadata,
    )


#: attribute of the scene with the job, fields, reason.
_EDITS: Final[list[tuple[str, dict[str, Any], str]]] = [
    ("held", {}, "INVALID_FIELD"),
    ("held", {"parameters_json": "[]"}, "INVALID_PARAMETER"),
    ("held", {"queue": "nowhere"}, "QUEUE_NOT_FOUND"),
    ("held", {"queue": "no name"}, "INVALID_NAME"),
    ("held", {"priority": 101}, "INVALID_NUMBER"),
    ("queued", {"parameters_json": "{}"}, "ILLEGAL_TRANSITION"),
    ("running", {"priority": 60}, "ILLEGAL_TRANSITION"),
    ("pending", {"priority": 60}, "WRONG_LIFECYCLE"),
    ("final", {"priority": 60}, "ALREADY_FINAL"),
]


def _edit(job: str, fields: dict[str, Any], reason: str) -> BadInput:
    what = f"a job that is {job} with {fields or 'nothing'}"
    return BadInput(
        "JobService/EditJob",
        what,
        lambda scene: pb.EditJobRequest(job=getattr(scene, job), **fields),
        reason,
    )


def of_verbs() -> list[BadInput]:
    """All of them."""
    return [
        *(_row(*refused) for refused in _REFUSED),
        *(_edit(*refused) for refused in _EDITS),
        *(
            BadInput(
                "JobService/EditJob",
                f"start_time {what}",
                pb.EditJobRequest(job=1, start_time=at),
                "INVALID_TIME",
                "start_time",
            )
            for what, at in BAD_INSTANTS
        ),
        *(_row(verb, job, fields, "ALREADY_FINAL", ("status",)) for verb, job, fields in _FINAL),
        *(
            BadInput(
                "JobService/RescheduleJobs",
                f"start_time {what}",
                pb.RescheduleJobsRequest(jobs=[1], start_time=at),
                "INVALID_TIME",
                "start_time",
            )
            for what, at in BAD_INSTANTS
        ),
        *(
            BadInput(
                "JobService/CompleteJobs",
                f"result {what}",
                pb.CompleteJobsRequest(jobs=[1], result_json=json),
                "INVALID_PARAMETER",
                "result_json",
            )
            for what, json in BAD_JSON
            if what != "an array"
        ),
    ]
