"""Statuses as people read and type them: spelling, colour, and whether a job ended well.

The spelling follows from the name of the enum value, so a status that is newer than this program
is shown too. Only colours and ends need to be listed.
"""

from __future__ import annotations

from functools import cache
from typing import Final

#: Ended, and did what it was for.
ENDED_WELL: Final = frozenset({"Successful", "Completed"})
#: Ended by a fault.
FAILED: Final = frozenset({"Faulted", "Error", "Unknown"})
#: Ended because somebody or a rule wanted it so.
ENDED_EARLY: Final = frozenset({"Stopped", "Killed", "Canceled", "Skipped", "Ignored"})
#: All that end a job.
FINAL: Final = ENDED_WELL | FAILED | ENDED_EARLY

_STYLES: Final = (
    ("green", ENDED_WELL),
    ("bold red", FAILED | {"Uncertain", "Modified", "Never"}),
    ("dim", ENDED_EARLY),
    ("bold cyan", {"Running", "PreRunning", "PostRunning"}),
    ("cyan", {"Dispatched", "Assigned", "Resumed", "Waiting"}),
    ("yellow", {"Stopping", "Terminating", "Killing", "Canceling", "Overdue", "Suspended"}),
    ("magenta", {"Held", "QueueHeld", "Disabled"}),
    ("bold magenta", {"Console", "ConsoleRestart"}),
)
STYLE_OF: Final = {name: style for style, names in _STYLES for name in names}


@cache
def _names() -> dict[int, tuple[str, str]]:
    from interlock.v1.status_pb2 import Status

    names = {0: ("", "")}
    for value in Status.DESCRIPTOR.values:
        if value.number:
            _, lifecycle, rest = value.name.split("_", 2)
            spelling = "".join(word.capitalize() for word in rest.split("_"))
            names[value.number] = (lifecycle.lower(), spelling)
    return names


def status_name(number: int) -> str:
    """Return the vendor's spelling, such as `QueueHeld`; "" for no status."""
    return _names().get(number, ("", str(number)))[1]


def status_numbers(text: str) -> list[int]:
    """Return the statuses that a text names: both Running, or the one of `redwood/Running`."""
    lifecycle, _, name = text.lower().rpartition("/")
    found = [
        number
        for number, (of_lifecycle, spelling) in _names().items()
        if number and spelling.lower() == name and lifecycle in {"", of_lifecycle}
    ]
    if not found:
        raise ValueError(
            f"expected a status, optionally with its lifecycle (redwood/Running), "
            f"but got {text!r}. Statuses: {', '.join(all_statuses())}"
        )
    return found


def all_statuses() -> list[str]:
    """Return every spelling once, in the order of the lifecycles."""
    return list(dict.fromkeys(spelling for _, spelling in _names().values() if spelling))
