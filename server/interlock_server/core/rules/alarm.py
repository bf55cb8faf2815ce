"""What happens when an instant is reached that an object of the catalog carries (promise P11)."""

from __future__ import annotations

from heapq import heappop
from typing import TYPE_CHECKING, Final

from interlock_server.core.rules import closing, schedule

if TYPE_CHECKING:
    from collections.abc import Callable

    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World

#: What to do by kind of object; called with its name and the instant, which it may have left since.
_KINDS: Final[dict[str, Callable[[World, Turn, str, int], None]]] = {
    "queue": closing.change_queue,
    "server": closing.change_server,
    "schedule": schedule.fire,
}
#: Alarms of one command.
ALARMS_MAX: Final = 100


def pass_alarms(world: World, turn: Turn) -> bool:
    """Do what is due now; whether more is due."""
    alarms = world.alarms
    for _ in range(ALARMS_MAX):
        if not alarms or alarms[0][0] > turn.now_ms:
            return False
        at_ms, kind, name = heappop(alarms)
        _KINDS[kind](world, turn, name, at_ms)
    return True
