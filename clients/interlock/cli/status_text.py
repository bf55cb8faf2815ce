"""Statuses as people read and type them: spelling, colour, and whether a job ended well.

A status that is newer than this program is shown too; it only lacks a colour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interlock.status import StatusName

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


def _names() -> Mapping[int, StatusName]:
    from interlock.status import STATUS_NAMES

    return STATUS_NAMES


def status_name(number: int) -> str:
    """Return the vendor's spelling, such as `QueueHeld`; "" for no status."""
    return str(_names().get(number, number))


def status_numbers(text: str) -> list[int]:
    """Return the statuses that a text names: both Running, or the one of `redwood/Running`."""
    from interlock.status import ALIASES

    lifecycle, _, name = text.lower().rpartition("/")
    name = ALIASES.get(name, name).lower()
    found = [
        number
        for number, known in _names().items()
        if number and known.lower() == name and lifecycle in {"", known.lifecycle}
    ]
    if not found:
        raise ValueError(
            f"expected a status, optionally with its lifecycle (redwood/Running), "
            f"but got {text!r}. Statuses: {', '.join(all_statuses())}"
        )
    return found


def all_statuses() -> list[str]:
    """Return every spelling once, in the order of the lifecycles."""
    return list(dict.fromkeys(str(known) for known in _names().values() if known))
