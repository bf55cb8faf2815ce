"""When time windows are open (domain.md B7).

A window is a set of instants, and every question is answered from its spans, which are made lazily
and only within the bounds that were asked for: the work grows with the years between them, never
with how rarely something matches. What is slow to find, the opening hours of one restriction in one
year, is kept.

A window that is missing, broken or part of a circle is closed, and so is every window that refers
to it: nothing starts by mistake. `window_fault` is what keeps such definitions out.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Final, NamedTuple

from interlock_server.core.model.job import NEVER_MS
from interlock_server.core.opening_hours import hours_fault, restriction_spans
from interlock_server.core.spans import Span, intersected, united, without
from interlock_server.core.zone import find_zone, zone_fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from interlock_server.core.model.window import TimeWindow, WindowElement

_ELEMENTS_MAX: Final = 100
_RESTRICTIONS_MAX: Final = 20
#: Windows that one follows from another, at most: each may double the work.
_DEPTH_MAX: Final = 8
#: Restrictions of a window and of all that it refers to, each as often as it is referred to.
_TOTAL_RESTRICTIONS_MAX: Final = 1000


class Opening(NamedTuple):
    """A window is open from the first instant up to, not including, the second."""

    opens_ms: int
    closes_ms: int


class _Broken(Exception):  # noqa: N818  # never leaves this file
    """A window that is never open because nobody can say when it should be."""


def is_open(windows: Mapping[str, TimeWindow], name: str, at_ms: int, zone: str = "UTC") -> bool:
    """Say whether a window is open. The zone counts for windows without one of their own."""
    return next(openings(windows, name, at_ms, at_ms + 1, zone), None) is not None


def openings(
    windows: Mapping[str, TimeWindow], name: str, from_ms: int, until_ms: int, zone: str = "UTC"
) -> Iterator[Opening]:
    """Yield when a window is open, sorted and apart from each other, cut at both bounds.

    There is no time before 1970 and after 2999.
    """
    bounds = Span(max(from_ms, 0), min(until_ms, NEVER_MS))
    if bounds.first_ms >= bounds.last_ms:
        return
    try:
        spans = _window_spans(windows, name, bounds, zone or "UTC", depth=1)
    except _Broken:
        return
    for span in spans:
        yield Opening(span.first_ms, span.last_ms)


def next_opening(
    windows: Mapping[str, TimeWindow],
    name: str,
    at_ms: int,
    *,
    min_open_ms: int = 0,
    until_ms: int,
    zone: str = "UTC",
) -> Opening | None:
    """Return the first instant from which a window stays open for at least `min_open_ms`.

    It is at_ms itself if the window is open long enough, and before until_ms; None if there is
    none. `closes_ms` is cut at `until_ms + min_open_ms`.
    """
    for opening in openings(windows, name, at_ms, until_ms + min_open_ms, zone):
        if opening.opens_ms >= until_ms:
            return None
        if opening.closes_ms - opening.opens_ms >= min_open_ms:
            return opening
    return None


def next_change(
    windows: Mapping[str, TimeWindow], name: str, at_ms: int, *, until_ms: int, zone: str = "UTC"
) -> int:
    """Return when a window opens or closes next, after at_ms and before until_ms; 0 if never."""
    opening = next(openings(windows, name, at_ms, until_ms, zone), None)
    if opening is None:
        return 0
    if opening.opens_ms > at_ms:
        return opening.opens_ms
    return opening.closes_ms if opening.closes_ms < until_ms else 0


def window_fault(window: TimeWindow, windows: Mapping[str, TimeWindow]) -> str:
    """Say what is wrong with a definition, beside the other windows; nothing if it is fine."""
    return _own_fault(window) or _reference_fault(window, windows) or _size_fault(window, windows)


def _window_spans(
    windows: Mapping[str, TimeWindow], name: str, bounds: Span, zone: str, depth: int
) -> Iterator[Span]:
    """Return when a window is open; raises _Broken before the first span."""
    window = windows.get(name)
    if window is None or depth > _DEPTH_MAX:
        raise _Broken
    # A window with a zone means one set of instants, and so do the windows it refers to through it.
    zone = window.time_zone or zone
    if find_zone(zone) is None:
        raise _Broken
    spans = united([_element_spans(element, bounds, zone) for element in window.elements])
    if window.enabled_during:
        enabled = _window_spans(windows, window.enabled_during, bounds, zone, depth + 1)
        spans = intersected(spans, enabled)
    if window.disabled_during:
        disabled = _window_spans(windows, window.disabled_during, bounds, zone, depth + 1)
        spans = without(spans, disabled)
    return spans


def _element_spans(element: WindowElement, bounds: Span, zone: str) -> Iterator[Span]:
    if any(hours_fault(restriction) for restriction in element.restrictions):
        raise _Broken
    streams = [restriction_spans(one, zone, bounds) for one in element.restrictions]
    return reduce(intersected, streams) if streams else iter((bounds,))


def _own_fault(window: TimeWindow) -> str:
    if window.time_zone and (fault := zone_fault(window.time_zone)):
        return fault
    if len(window.elements) > _ELEMENTS_MAX:
        return f"expected at most {_ELEMENTS_MAX} elements, but there are {len(window.elements)}"
    for number, element in enumerate(window.elements, start=1):
        count = len(element.restrictions)
        if count > _RESTRICTIONS_MAX:
            return (
                f"element {number}: expected at most {_RESTRICTIONS_MAX} restrictions,"
                f" but there are {count}"
            )
        for place, restriction in enumerate(element.restrictions, start=1):
            if fault := hours_fault(restriction):
                return f"element {number}, restriction {place}: {fault}"
    return ""


def _references(window: TimeWindow) -> list[tuple[str, str]]:
    """Return which windows a window refers to, each with the name of the field."""
    fields = (
        ("enabled_during", window.enabled_during),
        ("disabled_during", window.disabled_during),
    )
    return [(field, name) for field, name in fields if name]


def _reference_fault(window: TimeWindow, windows: Mapping[str, TimeWindow]) -> str:
    for field, name in _references(window):
        if name != window.name and name not in windows:
            return f"expected a window in {field}, but there is no {name!r}"
        if circle := _way(name, window.name, windows):
            shown = " -> ".join([window.name, *circle])
            return f"expected {field} without a circle, but it is {shown}"
    return ""


def _way(start: str, goal: str, windows: Mapping[str, TimeWindow]) -> list[str]:
    """Return the names on a way from one window to another along their references."""
    came_from = {start: ""}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name == goal:
            way = [name]
            while came_from[way[0]]:
                way.insert(0, came_from[way[0]])
            return way
        if name in windows:
            for _, following in _references(windows[name]):
                if following not in came_from:
                    came_from[following] = name
                    waiting.append(following)
    return []


class _Size(NamedTuple):
    """What a window costs: how deep its references go, and how many restrictions are reached."""

    depth: int
    restrictions: int


def _size_fault(window: TimeWindow, windows: Mapping[str, TimeWindow]) -> str:
    """Say if the window, or one that refers to it, would be too much work."""
    changed = {**windows, window.name: window}
    sizes: dict[str, _Size] = {}
    for name in changed:
        size = _size(name, changed, sizes)
        if size.depth > _DEPTH_MAX:
            return (
                f"expected at most {_DEPTH_MAX} windows that refer to each other,"
                f" but there would be {size.depth} from {name!r} on"
            )
        if size.restrictions > _TOTAL_RESTRICTIONS_MAX:
            return (
                f"expected at most {_TOTAL_RESTRICTIONS_MAX} restrictions with all windows that"
                f" are referred to, but {name!r} would have {size.restrictions}"
            )
    return ""


def _size(name: str, windows: Mapping[str, TimeWindow], sizes: dict[str, _Size]) -> _Size:
    if name not in windows:
        return _Size(0, 0)
    if name not in sizes:
        window = windows[name]
        # Stands for a window that is on the way already, so that a circle ends here.
        sizes[name] = _Size(0, 0)
        below = [_size(other, windows, sizes) for _, other in _references(window)]
        sizes[name] = _Size(
            depth=1 + max((size.depth for size in below), default=0),
            restrictions=sum(len(element.restrictions) for element in window.elements)
            + sum(size.restrictions for size in below),
        )
    return sizes[name]
