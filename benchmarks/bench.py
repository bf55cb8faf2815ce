"""Where a case is measured, and the processes it starts there."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from benchmarks.load_process import LoadProcess
from benchmarks.own_server import PROGRAM, OwnServer
from interlock import connect

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path
    from typing import TypeVar

    Entered = TypeVar("Entered")

DURABILITY: Final = "full"
HEAR_SECONDS: Final = 120.0


class CaseFailed(Exception):  # noqa: N818 - says what is
    """A case did not do what it was to measure."""


@dataclass(frozen=True)
class Place:
    """Where and how long to measure."""

    folder: Path
    #: For what several cases begin with, and is made once; by default in `folder`.
    shared: Path | None = None
    rounds: int = 5
    seconds: float = 2.0
    warm_up_seconds: float = 0.5
    #: Whether other systems are compared too, where they are installed.
    peers: bool = False
    #: Part of the jobs of cases with very many: for trying them.
    scale: float = 1.0
    #: The server's program; the guard's own test gives one with a planted slow-down.
    program: Sequence[str] = PROGRAM

    def scaled(self, count: int, *, least: int = 1_000) -> int:
        """Return how many of so many things there are here."""
        return max(least, int(count * self.scale))


class Bench:
    """The processes of one case. Use as `async with`."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    async def enter(self, other: AbstractAsyncContextManager[Entered]) -> Entered:
        """Let something end with this."""
        return await self._stack.enter_async_context(other)

    async def server(self, *, data: Path | None = None) -> OwnServer:
        """Start a server of ours, on a copy of data if given; it has to keep what it answers."""
        server = await self.enter(
            OwnServer(directory=self.place.folder, program=self.place.program, data=data)
        )
        async with connect(server.address) as interlock:
            durability = (await interlock.server_status()).durability
        if durability != DURABILITY:
            raise CaseFailed(f"expected durability {DURABILITY}, but the server has {durability}")
        return server

    async def killed_server(self, data: Path) -> OwnServer:
        """Return a server that is not started yet, on a copy of what a killed one left."""
        return await self.enter(OwnServer(directory=self.place.folder, data=data, starts=False))

    async def bare(self, **task: Any) -> tuple[LoadProcess, str]:
        """Start a bare server; returns its process and its address."""
        process = await self.enter(LoadProcess("benchmarks.bare.server", task))
        return process, (await process.hear(timeout=HEAR_SECONDS))["address"]

    async def load(self, module: str, **task: Any) -> LoadProcess:
        """Start a process that makes load, and wait until it is ready."""
        process = await self.enter(LoadProcess(f"benchmarks.{module}", task))
        await process.hear(timeout=HEAR_SECONDS)
        return process


async def put_definition(server: OwnServer, name: str, lifecycle: str = "redwood") -> None:
    """Make a definition; servers are started without any."""
    async with connect(server.address) as interlock:
        await interlock.put_definitions([{"name": name, "lifecycle": lifecycle}])


async def ask(process: LoadProcess, **question: Any) -> dict[str, Any]:
    """Ask a process and return its answer."""
    await process.tell(question)
    try:
        return await process.hear(timeout=HEAR_SECONDS)
    except TimeoutError:
        raise CaseFailed(
            f"expected an answer of {process.module} within {HEAR_SECONDS:g} s, but none came"
        ) from None
