"""A peer made of a server and a load process: what all of them have in common."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from benchmarks.load_process import LoadProcess
from benchmarks.peers.installed import interpreter, program
from benchmarks.peers.protocol import Rate, WrongCount

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path
    from types import TracebackType
    from typing import Self

#: Starting, filling and trying out, and what a round takes beyond its time, on a busy machine.
_WARM_UP_SECONDS: Final = 180.0
_ROUND_MORE_SECONDS: Final = 60.0
#: Nothing that a peer brings along may look for anything outside of this machine.
LOOPBACK_ONLY: Final = {"NO_PROXY": "*", "no_proxy": "*", "DO_NOT_TRACK": "1"}


@dataclass
class MeasuredPeer:
    """One peer (see `Peer`). `server` runs it and yields what the load has to know of it.

    The load is a module that runs `benchmarks.peers.rounds.serve`; it is run where `packages` are,
    and by our own interpreter if it needs none.
    """

    name: str
    unit: str
    durability: str
    load: str
    packages: tuple[str, ...]
    server: Callable[[], AbstractAsyncContextManager[Mapping[str, Any]]]
    #: Programs that the server needs; the last is the one whose version matters.
    programs: tuple[str, ...] = ()
    task: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    #: How long each concurrency is tried out.
    trial_seconds: float = 0.25
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack, init=False)
    _process: LoadProcess = field(init=False)

    def check(self) -> Path | None:
        """Return the interpreter of the load, None for our own. Raises NotInstalled."""
        for name in self.programs:
            program(name)
        return interpreter(*self.packages) if self.packages else None

    async def __aenter__(self) -> Self:
        python = self.check()
        async with AsyncExitStack() as stack:
            place = await stack.enter_async_context(self.server())
            self._process = await stack.enter_async_context(
                LoadProcess(
                    self.load,
                    {**self.task, **place, "trial_seconds": self.trial_seconds},
                    interpreter=python,
                    environment={**LOOPBACK_ONLY, **self.environment},
                )
            )
            ready = await self._process.hear(timeout=_WARM_UP_SECONDS)
            self.name, self.durability = ready["name"], ready["durability"]
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.__aexit__(kind, error, traceback)

    async def run(self, seconds: float) -> Rate:
        """Run one round. Raises WrongCount when the peer's own count of the items differs."""
        await self._process.tell({"seconds": seconds})
        done = await self._process.hear(timeout=seconds + _ROUND_MORE_SECONDS)
        if done["items"] != done["counted"]:
            raise WrongCount(
                f"{self.name}: the load says {done['items']} {self.unit.removesuffix('/s')}, "
                f"but the peer has counted {done['counted']}"
            )
        return Rate(done["items"], done["seconds"])
