"""Schedules: requests to commands, and records to messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock.v1 import schedule_pb2 as pb
from interlock_server.core.command import PutSchedules
from interlock_server.core.model.job import NEVER_MS
from interlock_server.core.model.recurrence import Recurrence, RecurrenceKind
from interlock_server.core.model.schedule import Schedule, ScheduleStatus
from interlock_server.core.rules.schedule import waiting_jobs
from interlock_server.rpc import validate
from interlock_server.rpc.errors import InvalidArgument

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from interlock.v1 import schedule_service_pb2
    from interlock_server.core.world import World

DESCRIPTION_MAX: Final = 1_024
COUNT_MAX: Final = 10_000
PRESUBMIT_MAX: Final = 5_000
PRESUBMIT_WARNING: Final = 100
FIRINGS_MAX: Final = 1_000_000_000
FAILURES_MAX: Final = 1_000
TEXT_MAX: Final = 20_000
ZONE_MAX: Final = 128
#: The codes of a recurrence, a space of their own (domain.md B10).
CODES: Final = {
    ScheduleStatus.ACTIVE: "A",
    ScheduleStatus.HELD: "H",
    ScheduleStatus.FINISHED_JOB_COUNT: "C",
    ScheduleStatus.FINISHED_END_DATE: "D",
    ScheduleStatus.FINISHED_MANUALLY: "M",
    ScheduleStatus.FINISHED_SUBMIT_FRAME: "S",
}
_OUTPUT: Final = (
    *("status", "status_code", "status_by", "next_time", "firings", "failures", "live_jobs"),
    *("recent", "version", "update_time"),
)


def put_schedules(request: schedule_service_pb2.PutSchedulesRequest) -> PutSchedules:
    """Check schedules to write."""
    validate.batch("schedules", len(request.schedules))
    schedules = tuple(
        _record(f"schedules[{index}]", each) for index, each in enumerate(request.schedules)
    )
    validate.distinct("schedules", [each.name for each in schedules])
    return PutSchedules(schedules)


def _record(path: str, given: pb.Schedule) -> Schedule:
    validate.unset(path, given, _OUTPUT)

    def number(field: str, low: int, high: int) -> int:
        return validate.number(f"{path}.{field}", getattr(given, field), low, high)

    def length_ms(field: str) -> int:
        return validate.optional_duration_ms(given, field, f"{path}.{field}")

    return Schedule(
        name=validate.name(f"{path}.name", given.name),
        definition=validate.name(f"{path}.definition", given.definition),
        recurrence=_recurrence(f"{path}.recurrence", given.recurrence),
        description=validate.text(
            f"{path}.description", given.description, DESCRIPTION_MAX, lines=True
        ),
        parameters=validate.json_object(f"{path}.parameters_json", given.parameters_json),
        queue=validate.optional_name(f"{path}.queue", given.queue),
        priority=number("priority", 0, validate.PRIORITY_MAX),
        robot=validate.optional_name(f"{path}.robot", given.robot),
        labels=validate.labels(f"{path}.labels", given.labels),
        count=number("count", 0, COUNT_MAX) or 1,
        stop_after_ms=length_ms("stop_after"),
        kill_after_ms=length_ms("kill_after"),
        firings_max=number("firings_max", 0, FIRINGS_MAX),
        presubmit=number("presubmit", 0, PRESUBMIT_MAX) or 1,
        failures_max=number("failures_max", 0, FAILURES_MAX),
        failures_grace_ms=length_ms("failures_grace"),
    )


def _recurrence(path: str, given: pb.Recurrence) -> Recurrence:
    kinds = {
        RecurrenceKind.CRON: bool(given.cron),
        RecurrenceKind.RULE: bool(given.rule),
        RecurrenceKind.INTERVAL: given.HasField("interval"),
    }
    chosen = [kind for kind, is_set in kinds.items() if is_set]
    if len(chosen) != 1:
        raise InvalidArgument(
            path, f"expected one of cron, rule and interval, but {len(chosen)} are set"
        )
    return Recurrence(
        kind=chosen[0],
        text=validate.text(
            f"{path}.{'cron' if given.cron else 'rule'}",
            given.cron or given.rule,
            TEXT_MAX,
            lines=True,
        ),
        time_zone=validate.text(f"{path}.time_zone", given.time_zone, ZONE_MAX),
        interval_ms=validate.optional_duration_ms(given, "interval", f"{path}.interval"),
        start_ms=validate.optional_timestamp_ms(given, "start_time", f"{path}.start_time"),
        end_ms=validate.optional_timestamp_ms(given, "end_time", f"{path}.end_time"),
    )


def warnings(command: PutSchedules) -> list[str]:
    """What is allowed and may still be a mistake."""
    return [
        f"schedule {each.name!r} submits {each.presubmit:,} jobs ahead; more than "
        f"{PRESUBMIT_WARNING} are rarely needed"
        for each in command.schedules
        if each.presubmit > PRESUBMIT_WARNING
    ]


def message(record: Schedule, world: World) -> pb.Schedule:
    """A schedule, with what its jobs say about it now."""
    found = pb.Schedule(
        name=record.name,
        definition=record.definition,
        recurrence=_recurrence_message(record.recurrence),
        description=record.description,
        parameters_json=record.parameters,
        queue=record.queue,
        priority=record.priority,
        robot=record.robot,
        labels=record.labels,
        count=record.count,
        firings_max=record.firings_max,
        presubmit=record.presubmit,
        failures_max=record.failures_max,
        status=int(record.status),  # type: ignore[arg-type]
        status_code=CODES[record.status],
        status_by=record.status_by,
        firings=record.firings,
        failures=record.failures,
        live_jobs=world.recurring.get(record.name, ()),
        version=record.version,
    )
    for field, length_ms in (
        ("stop_after", record.stop_after_ms),
        ("kill_after", record.kill_after_ms),
        ("failures_grace", record.failures_grace_ms),
    ):
        if length_ms:
            getattr(found, field).FromMilliseconds(length_ms)
    for firing in record.recent:
        shown = found.recent.add(what=firing.what, jobs=firing.jobs, reason=firing.reason)
        shown.time.FromMilliseconds(firing.at_ms)
    starts = [job.start_ms for job in waiting_jobs(world, record.name) if job.start_ms < NEVER_MS]
    _stamp(found, "next_time", record.next_ms or min(starts, default=0))
    _stamp(found, "update_time", record.updated_ms)
    return found


def _recurrence_message(record: Recurrence) -> pb.Recurrence:
    found = pb.Recurrence(time_zone=record.time_zone)
    if record.kind is RecurrenceKind.CRON:
        found.cron = record.text
    elif record.kind is RecurrenceKind.RULE:
        found.rule = record.text
    else:
        found.interval.FromMilliseconds(record.interval_ms)
    _stamp(found, "start_time", record.start_ms)
    _stamp(found, "end_time", record.end_ms)
    return found


def _stamp(message: Message, field: str, at_ms: int) -> None:
    if at_ms:
        getattr(message, field).FromMilliseconds(at_ms)
