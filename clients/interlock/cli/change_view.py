"""Status changes as programs and people read them, one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interlock.cli.instant import rfc3339
from interlock.cli.safe_text import one_line

if TYPE_CHECKING:
    from interlock import Change


def change_mapping(change: Change) -> dict[str, Any]:
    """Return a change for programs, with the names of the API's Event."""
    return {
        "type": "change",
        "revision": change.revision,
        "job": change.job,
        "lifecycle": change.lifecycle,
        "from": change.from_status or "",
        "to": change.to_status,
        "trigger": change.trigger,
        "transition": change.transition,
        "time": rfc3339(change.time),
        "actor": change.actor,
        "author": change.author,
        "reason": change.reason,
        "request_id": change.request_id,
        "definition": change.definition,
        "queue": change.queue,
        "robot": change.robot,
    }


def change_line(change: Change) -> str:
    """Return a change as a line of a log."""
    moved = f"{change.from_status} → {change.to_status}" if change.from_status else change.to_status
    parts = [
        change.time.astimezone().strftime("%H:%M:%S"),
        f"{change.job:>8}",
        f"{moved:<24}",
        change.definition,
        f"on {change.robot}" if change.robot else "",
        because(change),
    ]
    return one_line("  ".join(part for part in parts if part))


def because(change: Change) -> str:
    """Return who caused it by which trigger, and what they said."""
    who = change.author or change.actor
    told = f": {change.reason}" if change.reason else ""
    return f"{change.trigger} by {who}{told}"
