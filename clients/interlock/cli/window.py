"""`interlock window`: when something may happen, and when it will."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from interlock.cli.argument import INSTANT
from interlock.cli.option import NounGroup

if TYPE_CHECKING:
    from datetime import datetime

    from interlock.cli.invocation import Invocation
    from interlock.cli.sheet import Sheet


@click.group(cls=NounGroup)
def window() -> None:
    """Show, change and forecast time windows."""


@window.command("list")
@click.pass_obj
def list_windows(invocation: Invocation) -> None:
    """List time windows: their elements, zone, and what they depend on."""
    _show(invocation, invocation.call(lambda interlock: interlock.list_windows()))


@window.command("put")
@click.argument("name")
@click.option("--open", "hours", multiple=True, metavar="HH:MM-HH:MM", help="Hours of the day.")
@click.option("--rule", default="", help="Days: an RRULE such as FREQ=WEEKLY;BYDAY=MO,TU.")
@click.option("--date", "dates", multiple=True, help="These days only, as 2026-12-31.")
@click.option("--from-date", "start_date", default="", help="The first day.")
@click.option("--until-date", "end_date", default="", help="The last day.")
@click.option("--elements", help="All elements as JSON, instead of the options above.")
@click.option("--zone", "time_zone", default="", help="Time zone, as Europe/Berlin.")
@click.option("--enabled-during", default="", help="Closed whenever this window is.")
@click.option("--disabled-during", default="", help="Closed whenever this window is open.")
@click.option("--description", default="", help="Free text for people.")
@click.pass_obj
def put(
    invocation: Invocation,
    /,
    *,
    name: str,
    hours: tuple[str, ...],
    elements: str | None,
    rule: str,
    dates: tuple[str, ...],
    start_date: str,
    end_date: str,
    **given: Any,
) -> None:
    r"""Write a time window whole. With several --open, one of them is enough.

    \b
    interlock window put office --open 08:00-17:00 --rule 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR'
    interlock window put nights --open 22:00-06:00 --zone Europe/Berlin
    """
    days = {"rule": rule, "dates": list(dates), "start_date": start_date, "end_date": end_date}
    if elements is not None:
        found = _elements(elements)
    elif hours or any(days.values()):
        found = [{"restrictions": [days | _hours(text)]} for text in hours or ("",)]
    else:
        found = [{}]
    fields = {"name": name, "elements": found, **given}
    _show(invocation, invocation.call(lambda interlock: interlock.put_windows([fields])))


def _hours(text: str) -> dict[str, str]:
    opens, dash, closes = text.partition("-")
    if text and not dash:
        raise click.BadParameter(
            f"expected hours such as 08:00-17:00, but got {text!r}", param_hint="--open"
        )
    return {"opens": opens.strip(), "closes": closes.strip()}


def _elements(text: str) -> list[Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"expected JSON, but {error}", param_hint="--elements") from None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise click.BadParameter("expected a list of objects", param_hint="--elements")
    return found


@window.command("delete")
@click.argument("names", nargs=-1, required=True)
@click.pass_obj
def delete(invocation: Invocation, names: tuple[str, ...]) -> None:
    """Remove time windows that nothing refers to. All of them or none."""
    invocation.call(lambda interlock: interlock.delete_windows(list(names)))
    invocation.note(f"deleted: {', '.join(names)}")


@window.command("forecast")
@click.argument("name")
@click.option("--from", "start", type=INSTANT, help="From when on. Default: now.")
@click.option("--until", type=INSTANT, help="Until when. Default: two years later.")
@click.option("--count", type=click.IntRange(1, 1_000), default=10, help="Openings at most.")
@click.option("--zone", default="", help="Of windows without a zone of their own. Default: UTC.")
@click.pass_obj
def forecast(
    invocation: Invocation,
    name: str,
    start: datetime | None,
    until: datetime | None,
    count: int,
    zone: str,
) -> None:
    """Say when a time window is open next."""
    openings = invocation.call(
        lambda interlock: interlock.forecast_window(
            name, start=start, until=until, count=count, time_zone=zone
        )
    )
    invocation.show_many(
        openings, mapping=_opening_mapping, sheet=opening_sheet, key=lambda each: each.opens
    )


def _opening_mapping(opening: Any) -> dict[str, Any]:
    from interlock.cli.instant import rfc3339

    return {
        "opens": rfc3339(opening.opens),
        "closes": rfc3339(opening.closes) if opening.closes else None,
    }


def opening_sheet(openings: list[Any]) -> Sheet:
    """Return openings as a table."""
    from interlock.cli.instant import length, local
    from interlock.cli.sheet import Cell, Column, Sheet

    rows: list[tuple[Cell | str, ...]] = [
        (
            local(each.opens),
            local(each.closes) if each.closes else "not within the forecast",
            length(each.closes - each.opens) if each.closes else "",
        )
        for each in openings
    ]
    columns = (Column("OPENS"), Column("CLOSES"), Column("FOR", right=True))
    return Sheet(columns, rows, empty="It does not open in that time.")


def _show(invocation: Invocation, windows: Any) -> None:
    from interlock.cli.proto_mapping import to_mapping

    invocation.show_many(
        windows, mapping=to_mapping, sheet=window_sheet, key=lambda each: each.name
    )


def window_sheet(windows: list[Any]) -> Sheet:
    """Return time windows as a table."""
    from interlock.cli.sheet import Cell, Column, Sheet

    rows: list[tuple[Cell | str, ...]] = [
        (
            each.name,
            " or ".join(_element_text(element) for element in each.elements) or "never",
            each.time_zone or "of the user",
            _dependence(each),
            each.description,
        )
        for each in windows
    ]
    columns = (
        Column("WINDOW"),
        Column("OPEN", wraps=True),
        Column("ZONE"),
        Column("DEPENDS ON", wraps=True),
        Column("DESCRIPTION", wraps=True),
    )
    return Sheet(columns, rows, empty="No time windows found.")


def _element_text(element: Any) -> str:
    return " and ".join(_restriction_text(each) for each in element.restrictions) or "always"


def _restriction_text(each: Any) -> str:
    hours = f"{each.opens or '00:00'}-{each.closes or '24:00'}"
    parts = [hours if each.opens or each.closes else "", each.rule, ", ".join(each.dates)]
    parts += [f"from {each.start_date}" if each.start_date else ""]
    parts += [f"until {each.end_date}" if each.end_date else ""]
    return " ".join(part for part in parts if part) or "always"


def _dependence(each: Any) -> str:
    parts = [
        f"only during {each.enabled_during}" if each.enabled_during else "",
        f"not during {each.disabled_during}" if each.disabled_during else "",
    ]
    return ", ".join(part for part in parts if part)
