"""Jobs as operators read them: in which status, since when, on which robot, and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from interlock.cli.instant import age, ahead, length, local
from interlock.cli.proto_mapping import enum_text, instant, to_mapping
from interlock.cli.sheet import Cell, Column, Sheet, details, status_cell
from interlock.cli.status_text import FINAL, status_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from interlock.v1.job_pb2 import HistoryEntry, Job, Medium, ResumeCondition
    from interlock.v1.job_service_pb2 import Execution

COLUMNS: Final = (
    Column("JOB", right=True),
    Column("STATUS"),
    Column("SINCE", right=True),
    Column("DEFINITION", wraps=True),
    Column("QUEUE", wraps=True),
    Column("ROBOT", wraps=True),
    Column("WHY", wraps=True),
)
_REPLY_REQUIRED: Final = 2


def job_mapping(job: Job, runs: Iterable[Execution] = ()) -> dict[str, Any]:
    """Return the job for programs, with all runs of the same work if they are known."""
    mapping = {**to_mapping(job), "final": status_name(job.status) in FINAL}
    found = [to_mapping(each) for each in runs]
    return {**mapping, "all_executions": found} if found else mapping


def job_sheet(
    jobs: Iterable[Job], *, now: datetime, waits: Mapping[int, str] | None = None
) -> Sheet:
    """Return jobs as a table; with `waits`, waiting ones say what for."""
    rows = [_row(job, now=now, waits=waits) for job in jobs]
    return Sheet(COLUMNS, rows, empty="No jobs found.")


def _row(job: Job, *, now: datetime, waits: Mapping[int, str] | None) -> tuple[Cell | str, ...]:
    return (
        str(job.id),
        status_cell(status_name(job.status)),
        age(moment(job, "change_time"), now=now),
        job.definition,
        job.queue,
        Cell(job.robot, "red" if job.robot_unresponsive else ""),
        why(job, now=now, waits=waits),
    )


def moment(message: Any, name: str) -> datetime | None:
    """Return a time of a message; None if it is unset."""
    return instant(getattr(message, name)) if message.HasField(name) else None


def why(job: Job, *, now: datetime, waits: Mapping[int, str] | None = None) -> str:
    """Return everything known about why the job is where it is, the most urgent first."""
    told = (waits or {}).get(job.id, "")
    return "; ".join(part for part in (*_reasons(job, now=now), told) if part)


def _reasons(job: Job, *, now: datetime) -> Iterable[str]:
    told = [fault_text(job)] if job.HasField("fault") else []
    for message in job.messages:
        if message.status == _REPLY_REQUIRED:
            choices = f" [{' / '.join(message.choices)}]" if message.choices else ""
            told.insert(0, f"message {message.id}: {message.text}{choices}")
    yield from told
    if job.info and not any(job.info in each for each in told):
        yield job.info
    if job.robot_unresponsive:
        yield f"robot {job.robot} is not heard of"
    if job.attempt_lost:
        yield "its attempt was lost; waits to be executed again"
    if job.return_code:
        yield f"return code {job.return_code}"
    if status_name(job.status) in FINAL:
        return
    yield from (_condition(each, now=now) for each in job.resume_conditions if not each.fired)
    start = moment(job, "start_time")
    if start is not None and not job.HasField("run_start_time") and start > now:
        yield f"starts {ahead(start, now=now)}"
    for name, verb in (
        ("stop_time", "will be stopped"),
        ("kill_time", "will be killed"),
        ("uncertain_until", "becomes Unknown"),
    ):
        if (time := moment(job, name)) is not None and status_name(job.status) != "Never":
            yield f"{verb} {ahead(time, now=now)}"


def fault_text(job: Job | Execution) -> str:
    """Return the fault on one line."""
    return ": ".join(part for part in (job.fault.code, job.fault.title) if part)


def _place(job: Job) -> str:
    """Say where in a chain a job stands, or whose child it is."""
    if job.call:
        return f"job {job.parent}, as call {job.call} of step {job.step}, run {job.iteration}"
    if job.step:
        return f"job {job.parent}, as step {job.step}, run {job.iteration}"
    return f"job {job.parent}" if job.parent else ""


def _condition(condition: ResumeCondition, *, now: datetime) -> str:
    kind = _enum(condition, "kind")
    if condition.HasField("time"):
        return f"resumes {ahead(instant(condition.time), now=now)}"
    return f"waits for {kind} {condition.key}".rstrip()


def job_details(
    job: Job,
    *,
    now: datetime,
    waits: Mapping[int, str] | None = None,
    last: HistoryEntry | None = None,
    runs: Iterable[Execution] = (),
) -> Sheet:
    """Return everything about one job and its last change; what is unset is left out."""
    conditions = [_condition(each, now=now) for each in job.resume_conditions if not each.fired]
    return details(
        [
            ("job", str(job.id)),
            ("status", status_cell(status_name(job.status))),
            ("since", _when(job, "change_time", now=now)),
            ("by", _cause(last) if last is not None else ""),
            ("why", why(job, now=now, waits=waits)),
            ("definition", f"{job.definition} (version {job.definition_version})"),
            ("lifecycle", _enum(job, "lifecycle")),
            ("queue", job.queue),
            ("priority", str(job.priority)),
            ("robot", job.robot),
            ("bound to robot", job.requested_robot),
            ("attempt (fence)", str(job.fence or "")),
            ("submitted by", job.submitted_by),
            ("reference", job.reference),
            ("belongs to", _place(job)),
            ("restart of", str(job.restarted_from or "")),
            ("executions", _executions(job, runs)),
            ("labels", ", ".join(f"{key}={value}" for key, value in sorted(job.labels.items()))),
            ("created", _when(job, "create_time", now=now)),
            ("start time", _when(job, "start_time", now=now)),
            ("started", _when(job, "run_start_time", now=now)),
            ("resumed", _when(job, "resume_time", now=now)),
            ("ended", _when(job, "end_time", now=now)),
            ("ran for", _ran_for(job, now=now)),
            ("waits for", "\n".join(conditions)),
            ("parameters", _pretty(job.parameters_json)),
            ("result", _pretty(job.result_json)),
            ("fault", Cell(fault_text(job), "red")),
            ("fault detail", job.fault.detail),
            ("recordings", "\n".join(medium_line(each) for each in job.media)),
            ("messages", "\n".join(_message_line(each) for each in job.messages)),
            ("revision", str(job.revision)),
        ]
    )


def _enum(message: Any, name: str) -> str:
    return enum_text(message.DESCRIPTOR.fields_by_name[name].enum_type, getattr(message, name))


def _when(message: Any, name: str, *, now: datetime) -> str:
    time = moment(message, name)
    if time is None:
        return ""
    if time > now:
        return (
            "never"
            if ahead(time, now=now) == "never"
            else f"{local(time)} ({ahead(time, now=now)})"
        )
    return f"{local(time)} ({age(time, now=now)} ago)"


def _executions(job: Job, runs: Iterable[Execution]) -> str:
    """Return all runs of the same work, if there are several, each with why it failed."""
    lines = [
        "  ".join(
            part
            for part in (
                f"{run.job}{'*' if run.job == job.id else ''}",
                status_name(run.status),
                _when_ended(run),
                fault_text(run) if run.HasField("fault") else "",
            )
            if part
        )
        for run in runs
    ]
    return "\n".join(lines) if len(lines) > 1 else ""


def _when_ended(run: Execution) -> str:
    ended = moment(run, "end_time")
    return local(ended) if ended is not None else ""


def medium_line(medium: Medium) -> str:
    """Return a recording on one line."""
    told = (size_text(medium.size_bytes), medium.content_type)
    return f"{medium.name} ({', '.join(part for part in told if part)})"


def size_text(count: float) -> str:
    """Return a number of bytes as people read it."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:  # noqa: PLR2004 - what a KiB is
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def _ran_for(job: Job, *, now: datetime) -> str:
    if job.HasField("run_time"):  # without the post-running action
        return length(job.run_time.ToTimedelta())
    started = moment(job, "run_start_time")
    return length((moment(job, "end_time") or now) - started) if started else ""


def _pretty(document: str) -> str:
    if not document or document == "{}":
        return ""
    try:
        return json.dumps(json.loads(document), indent=2, ensure_ascii=False)
    except ValueError:
        return document


def _message_line(message: Any) -> str:
    if message.status == _REPLY_REQUIRED:
        return f"{message.id}: {message.text} (open: interlock reply {message.id} TEXT)"
    told = f" -> {message.reply} (by {message.replied_by})" if message.reply else ""
    return f"{message.id}: {message.text}{told}"


def _cause(entry: HistoryEntry) -> str:
    told = f": {entry.reason}" if entry.reason else ""
    return f"{entry.trigger} by {_author(entry)}{told}"


def _author(entry: HistoryEntry) -> str:
    actor = _enum(entry, "actor")
    return actor if entry.author in {"", actor} else f"{actor} {entry.author}"


def history_sheet(entries: Iterable[HistoryEntry]) -> Sheet:
    """Return a job's changes with the time that each status lasted before it."""
    rows: list[tuple[Cell | str, ...]] = []
    before: datetime | None = None
    for entry in entries:
        time = instant(entry.time)
        rows.append(
            (
                str(entry.revision),
                local(time),
                f"+{length(time - before)}" if before else "",
                status_cell(status_name(getattr(entry, "from"))),
                status_cell(status_name(entry.to)),
                entry.trigger,
                _author(entry),
                entry.reason,
                entry.transition,
            )
        )
        before = time
    columns = (
        Column("REVISION", right=True),
        Column("TIME"),
        Column("AFTER", right=True),
        Column("FROM"),
        Column("TO"),
        Column("TRIGGER"),
        Column("BY", wraps=True),
        Column("REASON", wraps=True),
        Column("ROW"),
    )
    return Sheet(columns, rows, empty="No changes found.")
