"""Robots and their sessions: what a robot says to commands, and what it is told to messages.

Reports in columns become a command without an object for each report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock.v1 import robot_pb2, robot_service_pb2
from interlock.v1.error_reason_pb2 import ErrorReason
from interlock_server.core.command import (
    ActionOutcome,
    OpenSession,
    ReportDetail,
    ReportKind,
    RunningJob,
    StartAtRobot,
    Suspension,
)
from interlock_server.core.command import Report as ReportCommand
from interlock_server.core.model.definition import RuleEffect
from interlock_server.core.model.job import Fault, ResumeCondition, ResumeKind
from interlock_server.rpc import validate
from interlock_server.rpc.convert_job import KEY_MAX, refusal
from interlock_server.rpc.convert_message import question
from interlock_server.rpc.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from interlock_server.core.command import SessionOpened
    from interlock_server.core.model.robot import Robot
    from interlock_server.core.world import World
    from interlock_server.sessions import Ack, Offer, Order

REPORTS_MAX: Final = 10_000
SLOTS_MAX: Final = 10_000
ABILITIES_MAX: Final = 10_000
CONDITIONS_MAX: Final = 100
HOST_MAX: Final = 128
CODE_MAX: Final = 128
TITLE_MAX: Final = 1_024
FAULT_CHARS_MAX: Final = 16 * 1_024

#: Deleting these from a column of kinds leaves what is unknown.
_KINDS: Final = bytes(ReportKind)
_KIND_NUMBERS: Final = frozenset(_KINDS)


# -- what a robot says --------------------------------------------------------------------------


def open_session(hello: robot_service_pb2.Hello) -> OpenSession:
    """Check how a robot introduces itself."""
    validate.batch("hello.definitions", len(hello.definitions), ABILITIES_MAX)
    if len(hello.running) > SLOTS_MAX:
        raise validate.too_large("hello.running", len(hello.running), SLOTS_MAX)
    running = tuple(
        RunningJob(
            validate.identifier(f"hello.running[{index}].job", each.job),
            each.fence,
            each.started,
            each.ended,
        )
        for index, each in enumerate(hello.running)
    )
    validate.distinct("hello.running", [each.job for each in running])
    return OpenSession(
        robot=validate.name("hello.robot", hello.robot),
        instance=_instance(hello.instance),
        definitions=validate.names("hello.definitions", hello.definitions, count_max=ABILITIES_MAX),
        queues=validate.names("hello.queues", hello.queues, count_max=ABILITIES_MAX),
        slots=validate.number("hello.slots", hello.slots, 1, SLOTS_MAX),
        running=running,
        host=validate.text("hello.host", hello.host, HOST_MAX),
        actions=hello.actions,
        server=validate.optional_name("hello.server", hello.server),
        resources=validate.names(
            "hello.resources", hello.resources, count_max=validate.RESOURCES_MAX
        ),
    )


def _instance(text: str) -> str:
    try:
        found = validate.request_id(text)
    except InvalidArgument:
        found = ""
    if not found:
        raise InvalidArgument(
            "hello.instance",
            "expected a random text of 16 to 64 of A-Z a-z 0-9 . _ : -, "
            "the same as long as the robot runs",
        )
    return found


def report_of_columns(
    robot: str, epoch: int, columns: robot_service_pb2.ReportColumns
) -> ReportCommand:
    """Check a batch in columns: lengths, ids and kinds, without a look at single reports."""
    jobs = list(columns.jobs)
    count = len(jobs)
    validate.batch("columns.jobs", count, REPORTS_MAX)
    fences = list(columns.fences)
    kinds = columns.kinds
    _check_length("columns.fences", len(fences), count)
    _check_length("columns.kinds", len(kinds), count)
    details: dict[int, ReportDetail] = {}
    for each in columns.details:
        if each.index >= count or each.index in details:
            raise InvalidArgument(
                "columns.details",
                f"expected each index below {count} at most once, but got {each.index}",
            )
        details[each.index] = _detail(f"columns.details[{each.index}]", each)
    return _report(robot, epoch, columns.sequence, jobs, fences, kinds, details)


def _check_length(field: str, length: int, count: int) -> None:
    if length not in {1, count}:
        raise InvalidArgument(
            field, f"expected one value, or one for each of {count} jobs, but got {length}"
        )


def report_of_messages(
    robot: str, epoch: int, batch: robot_service_pb2.ReportBatch
) -> ReportCommand:
    """Check a batch of messages."""
    validate.batch("reports.reports", len(batch.reports), REPORTS_MAX)
    jobs: list[int] = []
    fences: list[int] = []
    kinds = bytearray()
    details: dict[int, ReportDetail] = {}
    for index, each in enumerate(batch.reports):
        jobs.append(each.job)
        fences.append(each.fence)
        kinds.append(each.kind if each.kind in _KIND_NUMBERS else 0)
        if each.HasField("detail"):
            details[index] = _detail(f"reports.reports[{index}].detail", each.detail)
    return _report(robot, epoch, batch.sequence, jobs, fences, bytes(kinds), details)


def _report(
    robot: str,
    epoch: int,
    sequence: int,
    jobs: list[int],
    fences: list[int],
    kinds: bytes,
    details: dict[int, ReportDetail],
) -> ReportCommand:
    validate.bounded("sequence", validate.identifier("sequence", sequence))
    if not min(jobs):
        validate.identifier(f"jobs[{jobs.index(0)}]", 0)
    validate.bounded("jobs", max(jobs))
    if unknown := kinds.translate(None, _KINDS):
        raise InvalidArgument(
            "kinds", f"expected the numbers of ReportKind, but got {unknown[0]} or unspecified"
        )
    return ReportCommand(
        robot=robot,
        epoch=epoch,
        sequence=sequence,
        jobs=jobs,
        fences=fences,
        kinds=kinds,
        details=details,
    )


def _detail(path: str, given: robot_service_pb2.ReportDetail) -> ReportDetail:
    return ReportDetail(
        result=validate.json_value(f"{path}.result_json", given.result_json),
        return_code=given.return_code,
        fault=_fault(given) if given.HasField("fault") else None,
        question=question(f"{path}.question", given.question)
        if given.HasField("question")
        else None,
        suspension=_suspension(f"{path}.suspension", given.suspension)
        if given.HasField("suspension")
        else None,
        reason=validate.reason(given.reason, f"{path}.reason"),
        action=_action(f"{path}.action", given.action) if given.HasField("action") else None,
    )


def _fault(given: robot_service_pb2.ReportDetail) -> Fault:
    # A failure is never refused for how it is told: nobody would hear of it.
    return Fault(
        code=validate.cleaned(given.fault.code, CODE_MAX) or "FAILED",
        title=validate.cleaned(given.fault.title, TITLE_MAX),
        detail=validate.cleaned(given.fault.detail, FAULT_CHARS_MAX, lines=True),
    )


def _action(path: str, given: robot_service_pb2.ActionOutcome) -> ActionOutcome:
    effect = validate.choice(f"{path}.effect", given.effect, (0, *RuleEffect), "rule effect")
    return ActionOutcome(
        effect=RuleEffect(effect) if effect else None,
        delay_ms=validate.optional_duration_ms(given, "delay", f"{path}.delay"),
        queue=validate.optional_name(f"{path}.queue", given.queue),
    )


def _suspension(path: str, given: robot_service_pb2.Suspension) -> Suspension:
    validate.batch(f"{path}.conditions", len(given.conditions), CONDITIONS_MAX)
    conditions = []
    for index, each in enumerate(given.conditions):
        at = f"{path}.conditions[{index}]"
        kind = ResumeKind(
            validate.choice(f"{at}.kind", each.kind, tuple(ResumeKind), "resume condition")
        )
        if kind is ResumeKind.TIMER:
            at_ms = validate.timestamp_ms(f"{at}.time", each.time)
            conditions.append(ResumeCondition(kind, at_ms=at_ms))
            continue
        conditions.append(ResumeCondition(kind, _condition_key(f"{at}.key", kind, each.key)))
    return Suspension(
        conditions=tuple(conditions),
        any=given.any,
        saved=validate.json_value(f"{path}.saved_json", given.saved_json),
        same_robot=given.same_robot,
    )


def _condition_key(field: str, kind: ResumeKind, key: str) -> str:
    if kind is not ResumeKind.JOB:
        if not key:
            raise InvalidArgument(field, "expected the key of a task or item, but it is empty")
        return validate.text(field, key, KEY_MAX)
    if not (key.isascii() and key.isdigit() and len(key) < len(str(validate.ID_MAX))):
        raise InvalidArgument(
            field,
            f"expected the id of a job in decimal, but got {key[:30]!r}",
            ErrorReason.ERROR_REASON_INVALID_ID,
        )
    return str(validate.identifier(field, int(key)))


def start_at_robot(request: robot_service_pb2.StartAtRobotRequest) -> StartAtRobot:
    """Check what a person started at a robot."""
    return StartAtRobot(
        robot=validate.name("robot", request.robot),
        epoch=validate.bounded("epoch", request.epoch),
        definition=validate.name("definition", request.definition),
        parameters=validate.json_object("parameters_json", request.parameters_json),
    )


# -- what a robot is told -----------------------------------------------------------------------


def welcome(
    opened: SessionOpened,
    command: OpenSession,
    *,
    heartbeat_interval_ms: int,
    time_to_live_ms: int,
) -> robot_service_pb2.SessionResponse:
    """The answer to Hello."""
    message = robot_service_pb2.SessionResponse()
    said = message.welcome
    said.epoch = opened.epoch
    said.last_sequence = opened.last_sequence
    said.heartbeat_interval.FromMilliseconds(heartbeat_interval_ms)
    said.time_to_live.FromMilliseconds(time_to_live_ms)
    for job, verdict in zip(command.running, opened.verdicts, strict=True):
        said.verdicts.add(
            job=job.job,
            fence=job.fence,
            verdict=int(verdict),  # same numbers
        )
    for sequence, index, job_id, rejection in opened.refused:
        said.refused.add(sequence=sequence, index=index, job=job_id, refusal=refusal(rejection))
    return message


def offers(given: Sequence[Offer]) -> robot_service_pb2.SessionResponse:
    """Jobs to take."""
    message = robot_service_pb2.SessionResponse()
    add = message.offers.offers.add
    for each in given:
        add(
            job=each.job,
            fence=each.fence,
            definition=each.definition,
            parameters_json=each.parameters,
            lifecycle=each.lifecycle,  # same numbers
            queue=each.queue,
            priority=each.priority,
            resume_version=each.resume_version,
            saved_json=each.saved,
            labels=each.labels,
            wait_for_start=each.wait_for_start,
            post_running_code=each.post_running_code,
        )
    return message


def orders(given: Sequence[Order]) -> robot_service_pb2.SessionResponse:
    """Orders to carry out."""
    message = robot_service_pb2.SessionResponse()
    message.orders.orders.extend(_order(each) for each in given)
    return message


def heartbeat_ack(given: Sequence[Order]) -> robot_service_pb2.SessionResponse:
    """The answer to a heartbeat: orders that are not acknowledged."""
    message = robot_service_pb2.SessionResponse()
    message.heartbeat_ack.SetInParent()
    message.heartbeat_ack.orders.extend(_order(each) for each in given)
    return message


def _order(each: Order) -> robot_service_pb2.Order:
    return robot_service_pb2.Order(
        job=each.job,
        fence=each.fence,
        kind=int(each.kind),  # type: ignore[arg-type]  # same numbers
        message=each.message,
        reply=each.reply,
        old_status=each.old_status,  # type: ignore[arg-type]  # same numbers
        new_status=each.new_status,  # type: ignore[arg-type]  # same numbers
    )


def report_ack(ack: Ack) -> robot_service_pb2.SessionResponse:
    """Batches that are durable, and what of them was refused."""
    message = robot_service_pb2.SessionResponse()
    said = message.report_ack
    said.sequence = ack.sequence
    said.revision = ack.revision
    for sequence, index, job, rejection in ack.refused:
        said.refused.add(sequence=sequence, index=index, job=job, refusal=refusal(rejection))
    return message


def going_away() -> robot_service_pb2.SessionResponse:
    """The server is stopping."""
    message = robot_service_pb2.SessionResponse()
    message.going_away.SetInParent()
    return message


# -- records ------------------------------------------------------------------------------------


def robot(
    record: Robot, world: World, *, unresponsive: bool, last_heard_ms: int | None
) -> robot_pb2.Robot:
    """A robot as it is known now."""
    jobs: Collection[int] = world.robot_jobs.get(record.name, ())
    message = robot_pb2.Robot(
        name=record.name,
        host=record.host,
        definitions=record.definitions,
        queues=record.queues,
        slots=record.slots,
        jobs=sorted(jobs),
        state=_robot_state(record, len(jobs)),
        unresponsive=unresponsive,
        maintenance=record.maintenance,
        epoch=record.epoch,
        server=record.server,
        server_missing=bool(record.server) and record.server not in world.servers,
        resources=record.resources,
    )
    if last_heard_ms is not None:
        message.last_heard_time.FromMilliseconds(last_heard_ms)
    return message


def _robot_state(record: Robot, jobs: int) -> robot_pb2.RobotState.ValueType:
    if record.connected:
        free = record.slots > jobs
        return (
            robot_pb2.RobotState.ROBOT_STATE_AVAILABLE
            if free
            else robot_pb2.RobotState.ROBOT_STATE_BUSY
        )
    if record.lost:
        return robot_pb2.RobotState.ROBOT_STATE_DISCONNECTED
    return robot_pb2.RobotState.ROBOT_STATE_UNKNOWN
