"""`interlock schedule`: recurring submissions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from interlock.cli import exit_code
from interlock.cli.argument import DURATION, INSTANT, LABEL, read_parameters
from interlock.cli.option import NounGroup

if TYPE_CHECKING:
    from interlock.cli.invocation import Invocation
    from interlock.cli.sheet import Sheet


@click.group(cls=NounGroup)
def schedule() -> None:
    """Show, change, hold, release and end recurring submissions."""


@schedule.command("list")
@click.pass_obj
def list_schedules(invocation: Invocation) -> None:
    """List schedules: their status with its code, and when they submit next."""
    _show(invocation, invocation.call(lambda interlock: interlock.list_schedules()))


@schedule.command("put")
@click.argument("name")
@click.argument("definition")
@click.option("--cron", help="Five fields: minute, hour, day, month, weekday.")
@click.option("--rule", help="An RRULE of RFC 5545, such as FREQ=MONTHLY;BYDAY=1MO.")
@click.option("--every", type=DURATION, help="The same length of time from each to the next.")
@click.option("--zone", default="", help="Time zone of --cron and --rule. Default: UTC.")
@click.option("--from", "start_time", type=INSTANT, help="Nothing before it.")
@click.option("--until", "end_time", type=INSTANT, help="Nothing after it.")
@click.option("-p", "--param", "assignments", multiple=True, help="NAME=TEXT or NAME:=JSON.")
@click.option("--parameters", "documents", multiple=True, help="A JSON object, @FILE, or -.")
@click.option("--queue", help="Queue of its jobs. Default: the definition's.")
@click.option("--priority", type=click.IntRange(1, 100), help="Of its jobs.")
@click.option("--robot", help="Robot that has to run its jobs. Default: any.")
@click.option("-l", "--label", "labels", type=LABEL, multiple=True, help="key=value.")
@click.option("--count", type=click.IntRange(1, 10_000), help="Jobs at once (UiPath).")
@click.option("--stop-after", type=DURATION, help="Stop jobs so long after the instant (UiPath).")
@click.option("--kill-after", type=DURATION, help="Kill jobs so long after the stop (UiPath).")
@click.option("--firings-max", type=click.IntRange(1), help="End after so many.")
@click.option("--presubmit", type=click.IntRange(1, 5_000), help="Jobs ahead (Redwood).")
@click.option("--failures-max", type=click.IntRange(1), help="Hold after so many (UiPath).")
@click.option("--failures-grace", type=DURATION, help="How long failures count together.")
@click.option("--description", help="Free text for people.")
@click.pass_obj
def put(
    invocation: Invocation,
    /,
    *,
    name: str,
    definition: str,
    assignments: tuple[str, ...],
    documents: tuple[str, ...],
    labels: tuple[tuple[str, str], ...],
    **given: Any,
) -> None:
    r"""Write a schedule whole. One that is over begins again when it changes.

    \b
    interlock schedule put nightly load-bank-file --cron '0 2 * * *' --zone Europe/Berlin
    """
    from interlock.instant import to_duration, to_timestamp

    recurrence = {
        "cron": given.pop("cron"),
        "rule": given.pop("rule"),
        "interval": to_duration(given.pop("every")),
        "time_zone": given.pop("zone"),
        "start_time": to_timestamp(given.pop("start_time")),
        "end_time": to_timestamp(given.pop("end_time")),
    }
    for field in ("stop_after", "kill_after", "failures_grace"):
        given[field] = to_duration(given[field])
    parameters = read_parameters(documents, assignments)
    fields = {
        "name": name,
        "definition": definition,
        "recurrence": {key: value for key, value in recurrence.items() if value},
        "labels": dict(labels),
        "parameters_json": _json(parameters),
        **{key: value for key, value in given.items() if value is not None},
    }
    _show(invocation, invocation.call(lambda interlock: interlock.put_schedules([fields])))


def _json(parameters: Any) -> str:
    from interlock import json_text

    return json_text.encode(parameters, what="parameters") if parameters else ""


@schedule.command("hold")
@click.argument("name")
@click.option("-m", "--reason", default="", help="Why; kept in the history.")
@click.pass_obj
def hold(invocation: Invocation, name: str, reason: str) -> None:
    """Keep a schedule from submitting. Jobs that wait already keep their start."""
    _show(
        invocation,
        [invocation.call(lambda interlock: interlock.hold_schedule(name, reason=reason))],
    )


@schedule.command("release")
@click.argument("name")
@click.option("-m", "--reason", default="", help="Why; kept in the history.")
@click.pass_obj
def release(invocation: Invocation, name: str, reason: str) -> None:
    """Let a held schedule go on with the next instant to come."""
    _show(
        invocation,
        [invocation.call(lambda interlock: interlock.release_schedule(name, reason=reason))],
    )


@schedule.command("end")
@click.argument("name")
@click.option("-m", "--reason", default="", help="Why; kept in the history.")
@click.pass_obj
def end(invocation: Invocation, name: str, reason: str) -> None:
    """End a schedule for good. Jobs that wait already keep their start."""
    _show(
        invocation,
        [invocation.call(lambda interlock: interlock.end_schedule(name, reason=reason))],
    )


@schedule.command("delete")
@click.argument("names", nargs=-1, required=True)
@click.pass_obj
def delete(invocation: Invocation, names: tuple[str, ...]) -> None:
    """Remove schedules. All of them or none; jobs that they have submitted stay."""
    invocation.call(lambda interlock: interlock.delete_schedules(list(names)))
    invocation.note(f"deleted: {', '.join(names)}")


@schedule.command("history")
@click.argument("name")
@click.pass_obj
def history(invocation: Invocation, name: str) -> None:
    """Show the newest firings of a schedule: fired, skipped, failed, disabled, and why."""
    from interlock.cli.failure import CommandError
    from interlock.cli.proto_mapping import to_mapping

    found = invocation.call(lambda interlock: interlock.list_schedules())
    named = [each for each in found if each.name == name]
    if not named:
        raise CommandError(f"there is no schedule {name!r}", exit_code.NOT_FOUND)
    firings = list(named[0].recent)
    invocation.show_many(
        firings, mapping=to_mapping, sheet=firing_sheet, key=lambda each: each.time.ToDatetime()
    )


def firing_sheet(firings: list[Any]) -> Sheet:
    """Return firings as a table."""
    from interlock.cli.instant import local
    from interlock.cli.sheet import Cell, Column, Sheet
    from interlock.instant import instant_of

    rows: list[tuple[Cell | str, ...]] = []
    for each in firings:
        at = instant_of(each, "time")
        jobs = ", ".join(str(job) for job in each.jobs[:3])
        more = f" and {len(each.jobs) - 3} more" if len(each.jobs) > 3 else ""  # noqa: PLR2004
        rows.append((local(at) if at else "", each.what, jobs + more, each.reason))
    columns = (Column("FOR"), Column("WHAT"), Column("JOBS"), Column("WHY", wraps=True))
    return Sheet(columns, rows, empty="It has not fired yet.")


def _show(invocation: Invocation, schedules: Any) -> None:
    from interlock.cli.proto_mapping import to_mapping

    invocation.show_many(
        schedules, mapping=to_mapping, sheet=schedule_sheet, key=lambda each: each.name
    )


def schedule_sheet(schedules: list[Any]) -> Sheet:
    """Return schedules as a table."""
    from interlock.cli.instant import local
    from interlock.cli.sheet import Cell, Column, Sheet
    from interlock.instant import instant_of
    from interlock.v1.schedule_pb2 import ScheduleStatus

    rows: list[tuple[Cell | str, ...]] = []
    for each in schedules:
        status = ScheduleStatus.Name(each.status).removeprefix("SCHEDULE_STATUS_").lower()
        following = instant_of(each, "next_time")
        rows.append(
            (
                each.name,
                each.definition,
                f"{each.status_code} {status.replace('_', ' ')}",
                local(following) if following else "-",
                f"{each.firings} / {each.firings_max or 'no limit'}",
                each.status_by,
            )
        )
    columns = (
        Column("SCHEDULE"),
        Column("DEFINITION"),
        Column("STATUS"),
        Column("NEXT"),
        Column("FIRINGS", right=True),
        Column("BY"),
    )
    return Sheet(columns, rows, empty="No schedules found.")
