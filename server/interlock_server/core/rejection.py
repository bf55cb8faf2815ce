"""A refused command is a value.

A reason from one list, a sentence for people, and data for programs.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import allowed_triggers
from interlock_server.core.vocabulary.status import IS_FINAL, STATUS_NAME
from interlock_server.core.vocabulary.trigger import Trigger

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job
    from interlock_server.core.world import World


class Reason(IntEnum):
    """Why; the number of interlock.v1.ErrorReason. A test compares the two lists."""

    INVALID_PARAMETER = 5
    INVALID_NUMBER = 6
    INVALID_TIME = 7
    INVALID_FIELD = 9
    FENCE_UNKNOWN = 18
    INVALID_EXPRESSION = 20
    INVALID_WINDOW = 21
    INVALID_CHAIN = 22
    JOB_NOT_FOUND = 31
    DEFINITION_NOT_FOUND = 32
    QUEUE_NOT_FOUND = 33
    ROBOT_NOT_FOUND = 34
    MESSAGE_NOT_FOUND = 35
    WINDOW_NOT_FOUND = 37
    EVENT_NOT_FOUND = 38
    LOCK_NOT_FOUND = 39
    SERVER_NOT_FOUND = 41
    SCHEDULE_NOT_FOUND = 42
    MEDIUM_NOT_FOUND = 43
    STEP_NOT_FOUND = 44
    JOB_ALREADY_PENDING = 50
    ILLEGAL_TRANSITION = 51
    ALREADY_FINAL = 52
    WRONG_LIFECYCLE = 53
    NOT_FINAL = 54
    QUEUE_IS_SYSTEM = 55
    QUEUE_NOT_HELD = 56
    QUEUE_ALREADY_HELD = 57
    MESSAGE_CLOSED = 58
    REPLY_REFUSED = 59
    NOT_EXTERNAL = 60
    IN_USE = 61
    CONFLICTING_DEFINITION = 62
    EVENT_NOT_RAISED = 63
    ALREADY_SO = 64
    SCHEDULE_FINISHED = 65
    RECORDING_REFUSED = 66
    TOO_LARGE = 67
    DIGEST_MISMATCH = 68
    NO_SESSION = 70
    SESSION_SUPERSEDED = 71
    STALE_FENCE = 72
    NOT_ASSIGNED = 73
    SEQUENCE_GAP = 74
    SESSION_LOST = 78
    REQUEST_ID_CONFLICT = 80
    REVISION_MISMATCH = 81
    OVERLOADED = 100
    STORAGE_FULL = 101


class Rejection(Exception):  # noqa: N818  a refusal is no error of the program
    """Reason, sentence and metadata. Rules return it; only the edge of the engine raises it."""

    def __init__(self, reason: Reason, sentence: str, **metadata: str | int) -> None:
        """Keep what a caller needs.

        `sentence` says what was expected, what is, and what is allowed.
        """
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence
        self.metadata = {key: str(value) for key, value in metadata.items()}


def illegal(job: Job, verb: str, actor: Actor = Actor.USER) -> Rejection:
    """Refuse a verb that the job's status does not allow, and say what this actor may do."""
    name = STATUS_NAME[job.status]
    if IS_FINAL[job.status]:
        return Rejection(
            Reason.ALREADY_FINAL,
            f"expected to {verb} job {job.id}, but it is {name}, which is final",
            status=name,
        )
    allowed = ", ".join(sorted({Trigger(t).verb for t in allowed_triggers(job.status, actor)}))
    return Rejection(
        Reason.ILLEGAL_TRANSITION,
        f"expected to {verb} job {job.id}, but it is {name} (allowed: {allowed or 'nothing'})",
        status=name,
        allowed=allowed,
    )


def deleted(world: World, job_id: int) -> Rejection:
    """Refuse a job that is neither in memory nor archived: deleted, or there never was one."""
    if 0 < job_id < world.next_job:
        return Rejection(
            Reason.JOB_NOT_FOUND,
            f"there is no job {job_id} any more: it is over, and retention has deleted it",
            job=job_id,
            deleted="true",
        )
    return Rejection(Reason.JOB_NOT_FOUND, f"there is no job {job_id}", job=job_id)


def not_found(world: World, job_id: int) -> Rejection:
    """Refuse a job that is not in memory: it is over, or there never was one."""
    if 0 < job_id < world.next_job:
        return Rejection(Reason.ALREADY_FINAL, f"expected a live job, but job {job_id} is over")
    return Rejection(Reason.JOB_NOT_FOUND, f"there is no job {job_id}", job=job_id)
