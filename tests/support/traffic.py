"""Traffic with something of every kind: both lifecycles, robots, labels, queues, operators."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from interlock import Definition, Refused, Robot, connect
from interlock.v1.queue_pb2 import Queue
from tests.support.own_process import QUICK_RECONNECT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from interlock import Interlock, Run

QUEUES: Final = ("default", "finance", "night")
LIFECYCLES: Final = {"invoice": "uipath", "mail": "uipath", "report": "redwood", "load": "redwood"}
ROBOTS: Final = ("robot-1", "robot-2", "robot-3")
LABELS: Final[tuple[dict[str, str], ...]] = (
    {},
    {"team": "a"},
    {"team": "b"},
    {"team": "a", "env": "live"},
)
_VERBS: Final = ("hold", "release", "cancel", "kill", "stop", "restart")


async def _work(run: Run) -> Any:
    """End well or badly, sometimes after a wait, as the job's parameters say."""
    what = run.parameters.get("what", "")
    if what == "fail":
        return run.failed("BROKEN", "told to fail")
    if what == "wait":
        with suppress(Refused):
            async with run.waiting("for nothing"):
                await asyncio.sleep(0)
    return run.result(return_code=7 if what == "return" else 0)


def make_robot(address: str, name: str, *, slots: int = 4, queues: tuple[str, ...] = ()) -> Robot:
    """A robot that runs every definition."""
    robot = Robot(address, name=name, slots=slots, queues=queues, options=QUICK_RECONNECT)
    for definition in LIFECYCLES:
        robot.job(definition)(_work)
    return robot


async def put_catalog(interlock: Interlock) -> None:
    """Write what the jobs are made of."""
    await interlock.put_queues([Queue(name=name) for name in QUEUES[1:]])
    await interlock.put_definitions(
        Definition(name, lifecycle) for name, lifecycle in LIFECYCLES.items()
    )


class Traffic:
    """A user who does things at random, and robots that run what they are given."""

    def __init__(self, interlock: Interlock, seed: int) -> None:
        """Nothing happens before `act`."""
        self._interlock = interlock
        self._rng = random.Random(seed)
        self._jobs: list[int] = []

    async def act(self, times: int) -> None:
        """Do so many things, one after the other."""
        for _ in range(times):
            with suppress(Refused):
                await self._act()

    async def _act(self) -> None:
        rng = self._rng
        chance = rng.random()
        if not self._jobs or chance < 0.6:
            await self._submit()
        elif chance < 0.95:
            verb = getattr(self._interlock, rng.choice(_VERBS))
            await verb(rng.choice(self._jobs), reason=rng.choice(("", "because", "just so")))
        elif chance < 0.975:
            await self._interlock.hold_queue("night", reason="maintenance")
        else:
            await self._interlock.release_queue("night")

    async def _submit(self) -> None:
        rng = self._rng
        specs = [self._spec() for _ in range(rng.randint(1, 4))]
        handles = await self._interlock.submit_many(specs)
        self._jobs += [handle.id for handle in handles if not isinstance(handle, Exception)]

    def _spec(self) -> dict[str, Any]:
        rng = self._rng
        definition = rng.choice(sorted(LIFECYCLES))
        redwood = LIFECYCLES[definition] == "redwood"
        spec: dict[str, Any] = {
            "definition": definition,
            "queue": rng.choice(QUEUES),
            "labels": rng.choice(LABELS),
            "parameters": {
                "what": rng.choice(("", "fail", "wait", "return") if redwood else ("", "fail"))
            },
            "count": rng.choice((1, 1, 1, 3)),
        }
        if redwood:
            spec["hold"] = rng.random() < 0.3
        return spec


@asynccontextmanager
async def traffic(address: str, seed: int, *, robots: bool = True) -> AsyncIterator[Traffic]:
    """Traffic on a server; its robots say goodbye at the end, so that nothing moves any more."""
    async with connect(address, user="alice", options=QUICK_RECONNECT) as interlock:
        await put_catalog(interlock)
        crew = [make_robot(address, name) for name in ROBOTS if robots]
        shifts = [asyncio.create_task(robot.run()) for robot in crew]
        for robot in crew:
            await robot.connected()
        try:
            yield Traffic(interlock, seed)
        finally:
            for robot in crew:
                robot.drain()
            await asyncio.gather(*shifts)
