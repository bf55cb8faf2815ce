"""Time windows: requests to commands, and records to messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock.v1 import window_pb2 as pb
from interlock.v1 import window_service_pb2
from interlock_server.core.command import PutWindows
from interlock_server.core.model.window import TimeWindow, WindowElement, WindowRestriction
from interlock_server.rpc import validate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from interlock_server.core.calendar import Opening

DESCRIPTION_MAX: Final = 1_024
ELEMENTS_MAX: Final = 100
RESTRICTIONS_MAX: Final = 20
DATES_MAX: Final = 1_000
ZONE_MAX: Final = 128
RULE_MAX: Final = 20_000
TIME_MAX: Final = 16


def put_windows(request: window_service_pb2.PutWindowsRequest) -> PutWindows:
    """Check time windows to write."""
    validate.batch("windows", len(request.windows))
    windows = tuple(
        _record(f"windows[{index}]", each) for index, each in enumerate(request.windows)
    )
    validate.distinct("windows", [each.name for each in windows])
    return PutWindows(windows)


def _record(path: str, given: pb.TimeWindow) -> TimeWindow:
    validate.unset(path, given, ("version", "update_time"))
    if len(given.elements) > ELEMENTS_MAX:
        raise validate.too_large(f"{path}.elements", len(given.elements), ELEMENTS_MAX)
    return TimeWindow(
        name=validate.name(f"{path}.name", given.name),
        description=validate.text(
            f"{path}.description", given.description, DESCRIPTION_MAX, lines=True
        ),
        time_zone=validate.text(f"{path}.time_zone", given.time_zone, ZONE_MAX),
        elements=tuple(
            _element(f"{path}.elements[{index}]", each) for index, each in enumerate(given.elements)
        ),
        enabled_during=validate.optional_name(f"{path}.enabled_during", given.enabled_during),
        disabled_during=validate.optional_name(f"{path}.disabled_during", given.disabled_during),
    )


def _element(path: str, given: pb.WindowElement) -> WindowElement:
    count = len(given.restrictions)
    if count > RESTRICTIONS_MAX:
        raise validate.too_large(f"{path}.restrictions", count, RESTRICTIONS_MAX)
    return WindowElement(
        restrictions=tuple(
            _restriction(f"{path}.restrictions[{index}]", each)
            for index, each in enumerate(given.restrictions)
        ),
        description=validate.text(
            f"{path}.description", given.description, DESCRIPTION_MAX, lines=True
        ),
    )


def _restriction(path: str, given: pb.WindowRestriction) -> WindowRestriction:
    if len(given.dates) > DATES_MAX:
        raise validate.too_large(f"{path}.dates", len(given.dates), DATES_MAX)
    return WindowRestriction(
        rule=validate.text(f"{path}.rule", given.rule, RULE_MAX, lines=True),
        start_date=validate.text(f"{path}.start_date", given.start_date, TIME_MAX),
        end_date=validate.text(f"{path}.end_date", given.end_date, TIME_MAX),
        opens=validate.text(f"{path}.opens", given.opens, TIME_MAX),
        closes=validate.text(f"{path}.closes", given.closes, TIME_MAX),
        dates=tuple(
            validate.text(f"{path}.dates[{index}]", each, TIME_MAX)
            for index, each in enumerate(given.dates)
        ),
    )


def message(record: TimeWindow) -> pb.TimeWindow:
    """A time window."""
    found = pb.TimeWindow(
        name=record.name,
        description=record.description,
        time_zone=record.time_zone,
        elements=[
            pb.WindowElement(
                description=element.description,
                restrictions=[
                    pb.WindowRestriction(
                        rule=each.rule,
                        start_date=each.start_date,
                        end_date=each.end_date,
                        opens=each.opens,
                        closes=each.closes,
                        dates=each.dates,
                    )
                    for each in element.restrictions
                ],
            )
            for element in record.elements
        ],
        enabled_during=record.enabled_during,
        disabled_during=record.disabled_during,
        version=record.version,
    )
    if record.updated_ms:
        found.update_time.FromMilliseconds(record.updated_ms)
    return found


def openings(found: Iterable[Opening], until_ms: int) -> list[window_service_pb2.Opening]:
    """Openings; one that lasts until the end of the search has no closing."""
    messages = []
    for each in found:
        shown = window_service_pb2.Opening()
        shown.open_time.FromMilliseconds(each.opens_ms)
        if each.closes_ms < until_ms:
            shown.close_time.FromMilliseconds(each.closes_ms)
        messages.append(shown)
    return messages
