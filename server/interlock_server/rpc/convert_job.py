"""Jobs: requests about them to commands, and records of them to messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from interlock.v1 import job_outcome_pb2, job_pb2, job_service_pb2
from interlock_server.core.command import (
    ChangeJobs,
    EditJob,
    FireConditions,
    NewJob,
    SubmitJobs,
    Verb,
)
from interlock_server.core.model.job import ResumeKind
from interlock_server.core.vocabulary.lifecycle import ROWS
from interlock_server.core.vocabulary.status import Lifecycle
from interlock_server.rpc import validate
from interlock_server.rpc.convert_message import operator_message
from interlock_server.rpc.errors import InvalidArgument, Refused, reason_name, reason_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from interlock_server.core.command import Outcome
    from interlock_server.core.model.job import HistoryEntry, Job
    from interlock_server.core.model.medium import Medium
    from interlock_server.core.rejection import Rejection

COUNT_MAX: Final = 10_000
REFERENCE_MAX: Final = 128
KEY_MAX: Final = 256

_FIRED_BY_PEOPLE: Final = {int(ResumeKind.PERSON), int(ResumeKind.ITEM)}


# -- requests -----------------------------------------------------------------------------------


def submit_jobs(request: job_service_pb2.SubmitJobsRequest) -> SubmitJobs:
    """Check a submission."""
    validate.batch("jobs", len(request.jobs))
    jobs = tuple(_new_job(f"jobs[{index}]", new) for index, new in enumerate(request.jobs))
    count = sum(new.count for new in jobs)
    if count > COUNT_MAX:
        raise validate.too_large("jobs", count, COUNT_MAX)
    return SubmitJobs(jobs)


def _new_job(path: str, new: job_service_pb2.NewJob) -> NewJob:
    count = validate.number(f"{path}.count", new.count, 0, COUNT_MAX) or 1
    robot = validate.optional_name(f"{path}.robot", new.robot)
    if robot and count > 1:
        raise InvalidArgument(
            f"{path}.count", f"expected 1 together with a robot, but got {count}; leave one out"
        )
    return NewJob(
        definition=validate.name(f"{path}.definition", new.definition),
        parameters=validate.json_object(f"{path}.parameters_json", new.parameters_json),
        queue=validate.optional_name(f"{path}.queue", new.queue),
        priority=validate.number(f"{path}.priority", new.priority, 0, validate.PRIORITY_MAX),
        robot=robot,
        count=count,
        start_ms=validate.optional_timestamp_ms(new, "start_time", f"{path}.start_time"),
        hold=new.hold,
        labels=validate.labels(f"{path}.labels", new.labels) if new.labels else {},
        reference=validate.text(f"{path}.reference", new.reference, REFERENCE_MAX),
        trigger_ms=validate.optional_timestamp_ms(new, "trigger_time", f"{path}.trigger_time"),
        stop_after_ms=validate.optional_duration_ms(new, "stop_after", f"{path}.stop_after"),
        kill_after_ms=validate.optional_duration_ms(new, "kill_after", f"{path}.kill_after"),
        window=validate.optional_name(f"{path}.window", new.window),
        parent=validate.bounded(f"{path}.parent", new.parent),
        after_parent=new.start_when_parent_ends,
        start_at_step=validate.optional_name(f"{path}.start_at_step", new.start_at_step),
        server=validate.optional_name(f"{path}.server", new.server),
    )


def change_jobs(request: Any, verb: Verb, **what: Any) -> ChangeJobs:
    """Check a verb; all their requests have these fields."""
    jobs = validate.identifiers("jobs", request.jobs)
    return ChangeJobs(verb, jobs, expected_revision(request), **what)


def edit_job(request: job_service_pb2.EditJobRequest) -> EditJob:
    """Check a change of one job."""
    given = (request.parameters_json, request.queue, request.priority)
    if not any(given) and not request.HasField("start_time"):
        raise InvalidArgument(
            "job", "expected something to change: parameters_json, queue, priority or start_time"
        )
    parameters = request.parameters_json
    return EditJob(
        job=validate.identifier("job", request.job),
        parameters=validate.json_object("parameters_json", parameters) if parameters else "",
        queue=validate.optional_name("queue", request.queue),
        priority=validate.number("priority", request.priority, 0, validate.PRIORITY_MAX),
        start_ms=validate.optional_timestamp_ms(request, "start_time"),
        expected_revision=validate.bounded("expected_revision", request.expected_revision),
    )


def expected_revision(request: Any) -> int:
    """The revision that the only job has to be at, 0 for any."""
    expected: int = request.expected_revision
    if expected and len(request.jobs) != 1:
        raise InvalidArgument(
            "expected_revision", f"expected one job with it, but got {len(request.jobs)}"
        )
    return validate.bounded("expected_revision", expected)


def fire_conditions(
    request: job_service_pb2.FireResumeConditionsRequest,
) -> FireConditions:
    """Check what is said to be done."""
    kind = validate.choice(
        "kind", request.kind, _FIRED_BY_PEOPLE, "condition that people fire: PERSON or ITEM"
    )
    if not request.key:
        raise InvalidArgument("key", "expected the key of the task or item, but it is empty")
    return FireConditions(ResumeKind(kind), validate.text("key", request.key, KEY_MAX))


# -- answers ------------------------------------------------------------------------------------


def refusal(rejection: Rejection) -> job_outcome_pb2.Refusal:
    """Why one item was refused."""
    return job_outcome_pb2.Refusal(
        reason=reason_name(int(rejection.reason)),
        message=rejection.sentence,
        metadata=rejection.metadata,
    )


def outcome(found: Outcome) -> job_outcome_pb2.JobOutcome:
    """What became of one job."""
    return job_outcome_pb2.JobOutcome(
        job=found.job,
        status=found.status,  # type: ignore[arg-type]  # same numbers
        revision=found.revision,
        unchanged=found.unchanged,
        refusal=None if found.rejection is None else refusal(found.rejection),
    )


def outcomes(found: Iterable[Outcome]) -> list[job_outcome_pb2.JobOutcome]:
    """What became of some jobs."""
    return [outcome(each) for each in found]


def raise_single_refusal(found: Sequence[job_outcome_pb2.JobOutcome], targets: int) -> None:
    """Refuse the call as a whole if it was about one job and that was refused."""
    if targets != 1 or not found or not found[0].HasField("refusal"):
        return
    why = found[0].refusal
    raise Refused(reason_number(why.reason), why.message, metadata=dict(why.metadata))


# -- records ------------------------------------------------------------------------------------


def job(
    record: Job,
    *,
    unresponsive: bool,
    whole: bool,
    children: Iterable[int] = (),
    media: Iterable[Medium] = (),
    now_ms: int = 0,
) -> job_pb2.Job:
    """A job; without parameters and result unless `whole`, without a run time so far if no now."""
    message = job_pb2.Job(
        id=record.id,
        definition=record.definition,
        definition_version=record.definition_version,
        lifecycle=record.lifecycle,  # type: ignore[arg-type]  # same numbers
        status=record.status,  # type: ignore[arg-type]  # same numbers
        revision=record.revision,
        queue=record.queue,
        priority=record.priority,
        labels=record.labels,
        requested_robot=record.requested_robot,
        robot=record.robot,
        fence=record.fence,
        robot_unresponsive=unresponsive and record.attached,
        return_code=record.return_code,
        info=record.info,
        restarted_from=record.restarted_from,
        reference=record.reference,
        submitted_by=record.submitted_by,
        stop_strategy=int(record.stop_strategy),  # type: ignore[arg-type]  # same numbers
        resume_version=record.resume_version,
        resume_on_same_robot=record.resume_on_same_robot,
        attended=record.attended,
        attempt_lost=record.attempt_lost,
    )
    _set_times(message, record)
    message.children.extend(children)
    if record.lifecycle == Lifecycle.REDWOOD:
        _add_redwood(message, record, now_ms)
    message.media.extend(medium(each) for each in media)
    if whole:
        message.parameters_json = record.parameters
        message.result_json = record.result
    if record.fault is not None:
        message.fault.code = record.fault.code
        message.fault.title = record.fault.title
        message.fault.detail = record.fault.detail if whole else ""
    for condition in record.conditions:
        added = message.resume_conditions.add(
            kind=int(condition.kind),  # same numbers
            key=condition.key,
            fired=condition.fired,
        )
        if condition.at_ms:
            added.time.FromMilliseconds(condition.at_ms)
    if record.messages:
        message.messages.extend(operator_message(each) for each in record.messages)
        message.has_open_message = record.open_message is not None
    return message


def _add_redwood(message: job_pb2.Job, record: Job, now_ms: int) -> None:
    """What only Redwood jobs have."""
    message.window, message.server = record.window, record.server
    message.events_seen.extend(record.events_seen)
    message.events_missing.extend(record.events_missing)
    for held in record.locks:
        message.locks.add(lock=held.lock, counts=held.counts, exclusive=held.exclusive)
    message.parent, message.top = record.parent, record.top
    message.role = int(record.role)  # type: ignore[assignment]  # same numbers
    message.step, message.call, message.iteration = record.step, record.call, record.iteration
    message.hold_when_due = record.hold_when_due
    message.process_server = record.process_server
    message.delay_reason = record.delay_reason
    message.provisional = record.provisional  # type: ignore[assignment]  # same numbers
    message.starts, message.schedule = record.starts, record.schedule
    message.executions.extend(record.executions)
    for field, at_ms in (
        ("window_close_time", record.window_closes_ms),
        ("delay_until", record.delay_until_ms),
        ("limit_time", record.limit_at_ms),
    ):
        if at_ms:
            getattr(message, field).FromMilliseconds(at_ms)
    if record.run_from_ms and (to_ms := record.run_to_ms or now_ms):
        message.run_time.FromMilliseconds(max(0, to_ms - record.run_from_ms))


def execution(record: Job) -> job_service_pb2.Execution:
    """One run among several of the same work."""
    message = job_service_pb2.Execution(
        job=record.id,
        status=record.status,  # type: ignore[arg-type]  # same numbers
        restarted_from=record.original,
    )
    message.create_time.FromMilliseconds(record.created_ms)
    if record.ended_ms:
        message.end_time.FromMilliseconds(record.ended_ms)
    if record.fault is not None:
        message.fault.code, message.fault.title = record.fault.code, record.fault.title
    return message


def medium(record: Medium) -> job_pb2.Medium:
    """A recording of a job."""
    message = job_pb2.Medium(
        name=record.name,
        digest=record.digest,
        size_bytes=record.size_bytes,
        content_type=record.content_type,
        robot=record.robot,
    )
    message.create_time.FromMilliseconds(record.at_ms)
    return message


def _set_times(message: job_pb2.Job, record: Job) -> None:
    message.create_time.FromMilliseconds(record.created_ms)
    message.start_time.FromMilliseconds(record.start_ms)
    message.change_time.FromMilliseconds(record.changed_ms)
    if record.run_start_ms:
        message.run_start_time.FromMilliseconds(record.run_start_ms)
    if record.resume_ms:
        message.resume_time.FromMilliseconds(record.resume_ms)
    if record.ended_ms:
        message.end_time.FromMilliseconds(record.ended_ms)
    if record.stop_at_ms:
        message.stop_time.FromMilliseconds(record.stop_at_ms)
    if record.kill_at_ms:
        message.kill_time.FromMilliseconds(record.kill_at_ms)
    if record.terminating_since_ms:
        message.terminating_since.FromMilliseconds(record.terminating_since_ms)
    if record.uncertain_until_ms:
        message.uncertain_until.FromMilliseconds(record.uncertain_until_ms)


def history_entry(entry: HistoryEntry) -> job_pb2.HistoryEntry:
    """One status change of a job."""
    row, cause = ROWS[entry.row], entry.cause
    assert row is not None, "only rows of the tables are recorded"
    message = job_pb2.HistoryEntry(
        revision=entry.revision,
        to=int(row.target),  # type: ignore[arg-type]  # same numbers
        trigger=row.trigger.text,
        transition=row.id,
        actor=cause.actor,  # type: ignore[arg-type]  # same numbers
        author=cause.author,
        reason=cause.reason,
        request_id=cause.request_id,
        **{"from": int(row.source)},  # type: ignore[arg-type]  # a word of Python
    )
    message.time.FromMilliseconds(cause.at_ms)
    return message
