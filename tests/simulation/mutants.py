"""Bugs that are planted to prove that the simulation finds them.

Each patches what a rule or an index answers; the names are those of `test_mutants.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from interlock_server.core import apply, decide, gate
from interlock_server.core import command as c
from interlock_server.core.gate import Closed
from interlock_server.core.lock_line import LockLines
from interlock_server.core.model.job import Role
from interlock_server.core.replay import Replay
from interlock_server.core.row_effect import EFFECTS, LOSES_LOCKS
from interlock_server.core.rules import chain, event_gate
from interlock_server.core.vocabulary.lifecycle import ROW_TARGET
from interlock_server.core.vocabulary.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


def _not_closed(patch: pytest.MonkeyPatch, function: str, *ignored: Closed) -> None:
    """Let a gate be open although something closes it."""
    right = getattr(gate, function)

    def wrong(*given: Any) -> Closed | None:
        found = right(*given)
        return None if found in ignored else found

    patch.setattr(gate, function, wrong)


def _instead(
    patch: pytest.MonkeyPatch,
    command: type[c.Command],
    wrong: Callable[[Callable[..., Any], Any, Any, Any], Any],
) -> None:
    """Let another rule decide a command; it is given the right one too."""
    right = decide._RULES[command]
    patch.setitem(
        decide._RULES, command, lambda world, turn, given: wrong(right, world, turn, given)
    )


def stale_fence_accepted(patch: pytest.MonkeyPatch) -> None:
    """A report counts whatever attempt it is about."""

    def wrong(right: Any, world: Any, turn: Any, given: c.Report) -> Any:
        fences = tuple(world.jobs[job].fence if job in world.jobs else 1 for job in given.jobs)
        return right(world, turn, msgspec.structs.replace(given, fences=fences))

    _instead(patch, c.Report, wrong)


def batch_counted_twice(patch: pytest.MonkeyPatch) -> None:
    """A batch that is said again is taken for a new one."""

    def wrong(right: Any, world: Any, turn: Any, given: c.Report) -> Any:
        robot = world.robots.get(given.robot)
        last = robot.last_sequence if robot is not None else 0
        return right(world, turn, msgspec.structs.replace(given, sequence=last + 1))

    _instead(patch, c.Report, wrong)


def timer_lost_at_restart(patch: pytest.MonkeyPatch) -> None:
    """Recovery forgets what was due."""
    right = Replay.finish

    def wrong(self: Replay) -> None:
        right(self)
        self.world.deadlines.clear()

    patch.setattr(Replay, "finish", wrong)


def timer_fires_early(patch: pytest.MonkeyPatch) -> None:
    """The clock of deadlines is a second fast."""

    def wrong(right: Any, world: Any, turn: Any, given: Any) -> Any:
        turn.cause = msgspec.structs.replace(turn.cause, at_ms=turn.cause.at_ms + 1_000)
        return right(world, turn, given)

    _instead(patch, c.PassDeadlines, wrong)


def event_taken_twice(patch: pytest.MonkeyPatch) -> None:
    """Who takes a raise leaves it for the next one too."""
    patch.setattr(event_gate, "remove_first", lambda _, event: event)


def lost_job_stays(patch: pytest.MonkeyPatch) -> None:
    """A restart of the server leaves what ran as it was."""
    _instead(patch, c.RecoverSessions, lambda *_: False)


def lock_leaks(patch: pytest.MonkeyPatch) -> None:
    """A job that ends badly keeps its locks."""
    leaks = frozenset({Status.REDWOOD_ERROR, Status.REDWOOD_KILLED, Status.REDWOOD_UNKNOWN})
    effects = tuple(
        effect & ~LOSES_LOCKS if target in leaks else effect
        for target, effect in zip(ROW_TARGET, EFFECTS, strict=True)
    )
    patch.setattr(apply, "EFFECTS", effects)


def lock_given_too_often(patch: pytest.MonkeyPatch) -> None:
    """A lock counts one holder less than it has."""
    right = LockLines.held
    patch.setattr(LockLines, "held", lambda self, lock: max(0, right(self, lock) - 1))


def step_ends_with_a_live_call(patch: pytest.MonkeyPatch) -> None:
    """The first call that ends is taken for the last one of its step."""
    right = chain.follow

    def wrong(world: Any, turn: Any, job: Any) -> None:
        left = world.unfinished.pop(job.parent, None) if job.role is Role.CALL else None
        right(world, turn, job)
        if left is not None:
            world.unfinished[job.parent] = left

    patch.setattr(chain, "follow", wrong)


MUTANTS: Final[dict[str, Callable[[pytest.MonkeyPatch], None]]] = {
    "dispatches over the execution size": lambda patch: _not_closed(
        patch, "of_queue", Closed.QUEUE_FULL
    ),
    "dispatches from a held queue": lambda patch: _not_closed(patch, "of_queue", Closed.QUEUE_HELD),
    "ignores the hold level": lambda patch: _not_closed(patch, "of_provider", Closed.HOLD_LEVEL),
    "leaks locks": lock_leaks,
    "gives a lock too often": lock_given_too_often,
    "ends a step with a live call": step_ends_with_a_live_call,
    "takes an event twice": event_taken_twice,
    "leaves what ran as it was at a restart": lost_job_stays,
    "believes a stale fence": stale_fence_accepted,
    "counts a batch twice": batch_counted_twice,
    "loses timers at a restart": timer_lost_at_restart,
}
