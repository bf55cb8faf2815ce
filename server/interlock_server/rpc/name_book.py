"""The names behind the numbers in the columns, kept up with a partition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock_server.core.change import NAME_DEFINITION, NAME_QUEUE, NAME_ROBOT

if TYPE_CHECKING:
    from interlock_server.core.world import World


class NameBook:
    """Names by number. Numbers are given once, so what was read stays true."""

    def __init__(self, world: World) -> None:
        """Start with the names that a World has now."""
        self._world = world
        self._read = 0
        self.definitions: dict[int, str] = {}
        self.queues: dict[int, str] = {}
        #: 0 stands for no robot.
        self.robots: dict[int, str] = {0: ""}
        self.keep_up()

    def keep_up(self) -> None:
        """Read the names that were given since."""
        names = self._world.names
        if self._read == len(names):
            return
        by_kind = {
            NAME_DEFINITION: self.definitions,
            NAME_QUEUE: self.queues,
            NAME_ROBOT: self.robots,
        }
        for name in names[self._read :]:
            by_kind[name.kind][name.number] = name.name
        self._read = len(names)
