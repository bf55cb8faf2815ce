"""What a site has, as data: chosen by the seed, and written through the commands of the catalog.

A subject adds what its jobs may have as one line of FEATURES, and its objects as one line of
`catalog`. A command that this release does not have is left out by `life.can`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from interlock_server.core.model.definition import (
    Completion,
    Definition,
    LossPolicy,
    Parameter,
)
from interlock_server.core.model.queue import Queue
from interlock_server.core.vocabulary.status import Lifecycle

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

REDWOOD: Final = int(Lifecycle.REDWOOD)
UIPATH: Final = int(Lifecycle.UIPATH)
MINUTE_MS: Final = 60_000


class Size(NamedTuple):
    """How much of everything."""

    queues: int
    definitions: int
    robots: int
    steps: int
    locks: int = 3
    windows: int = 3
    events: int = 4
    servers: int = 2
    chains: int = 3
    #: Every so many steps all indexes are compared with a full scan.
    scan_every: int = 25


SMALL: Final = Size(queues=6, definitions=12, robots=5, steps=160)
BIG: Final = Size(
    queues=200,
    definitions=120,
    robots=40,
    steps=3_000,
    locks=100,
    windows=40,
    events=60,
    servers=12,
    chains=30,
    scan_every=250,
)


class Site:
    """Names of everything there is, and what it is like."""

    def __init__(self, choose: Random, size: Size) -> None:
        """Choose a site."""
        self.size = size
        self.queues = ["default", "System", *(f"queue-{n}" for n in range(size.queues))]
        self.robots = [f"robot-{n}" for n in range(size.robots)]
        self.locks = [f"lock-{n}" for n in range(size.locks)]
        self.windows = [f"window-{n}" for n in range(size.windows)]
        self.events = [f"event-{n}" for n in range(size.events)]
        self.servers = [f"server-{n}" for n in range(size.servers)]
        self.definitions = {
            name: self.definition(choose, name)
            for name in (f"definition-{n}" for n in range(size.definitions))
        }

    def definition(self, choose: Random, name: str) -> Definition:
        """A definition with some of the features that its lifecycle has."""
        lifecycle = choose.choice([REDWOOD, REDWOOD, REDWOOD, UIPATH])
        fields: dict[str, Any] = {
            "queue": choose.choice(self.queues),
            "priority": choose.choice([20, 45, 50, 50, 80]),
        }
        for likely, make in FEATURES[lifecycle]:
            if choose.random() < likely:
                fields |= make(choose, self)
        return Definition(name, lifecycle, **fields)

    def queue(self, choose: Random, name: str) -> Queue:
        """A queue; only what the catalog may say about it."""
        return Queue(name, execution_size=choose.choice([0, 0, 1, 2, 5]))


#: How often a definition has a feature, and what its fields are then.
Feature = tuple[float, "Callable[[Random, Site], dict[str, Any]]"]
FEATURES: Final[dict[int, list[Feature]]] = {
    REDWOOD: [
        (0.1, lambda _, __: {"hold_on_submit": True}),
        (0.2, lambda _, __: {"message_on_failure": True}),
        (0.2, lambda _, __: {"return_code_map": "0,4-8"}),
        (0.2, lambda _, __: {"uncertain_timeout_ms": 5_000}),
        (0.1, lambda _, __: {"completion": Completion.EXTERNAL}),
        (0.2, lambda _, __: {"parameters": (Parameter("bank", "string", default_json='"A"'),)}),
    ],
    UIPATH: [
        (0.3, lambda _, __: {"foreground": True}),
        (0.5, lambda choose, _: {"on_robot_loss": choose.choice(list(LossPolicy))}),
    ],
}
