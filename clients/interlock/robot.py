"""Robot: a program that runs jobs. Register handlers, then `serve`."""

from __future__ import annotations

import asyncio
import signal
import socket
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from interlock.action import JobHandler
from interlock.connection import Connection
from interlock.instant import to_seconds
from interlock.shift import RobotProfile, Shift

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta


_Parameters = ParamSpec("_Parameters")
_Return = TypeVar("_Return")

_GRACE_SECONDS: Final = 30.0


class Robot:
    """Takes jobs of the definitions it has handlers for, and reports what becomes of them.

    An `async def` handler runs on the robot's event loop and is cancelled when its job is killed.
    A plain function runs in a thread and gets a `SyncRun`; it cannot be killed, so its job is
    reported as killed when it returns, and it keeps the process until then. A handler that raises
    fails its job.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        name: str,
        slots: int = 1,
        queues: Sequence[str] = (),
        server: str = "",
        resources: Sequence[str] = (),
        partition: str = "default",
        host: str | None = None,
        grace: timedelta | float = _GRACE_SECONDS,
        timeout: float = 30.0,
        options: Sequence[tuple[str, Any]] = (),
    ) -> None:
        """Make a robot; nothing is connected yet.

        Args:
            address: host:port or unix:PATH; by default that in INTERLOCK_ADDRESS, or
                localhost:7350.
            name: its name; a second robot of that name takes the session of the first.
            slots: how many jobs it runs at once.
            queues: queues it serves; empty for all, or for all of its server.
            server: process server it belongs to; it idles while nobody has put that.
            resources: what it offers to definitions that need it, beside what its server offers.
            partition: partition it works in.
            host: what people are shown as its host; by default this machine's name.
            grace: how long jobs may run on after it was told to stop.
            timeout: how many seconds a call of `run.interlock` may take.
            options: channel options of grpc.
        """
        if slots < 1:
            raise ValueError(f"expected at least 1 slot, but got {slots}")
        for what, given in (("queues", queues), ("resources", resources)):
            if isinstance(given, str):
                raise TypeError(f"expected {what} as a list of names, but got the text {given!r}")
        self.name = name
        self.slots = slots
        self._address = address
        self._queues = tuple(queues)
        self._server = server
        self._resources = tuple(resources)
        self._partition = partition
        self._host = socket.gethostname() if host is None else host
        self._grace_seconds = to_seconds(grace)
        self._timeout = timeout
        self._options = tuple(options)
        self._handlers: dict[str, JobHandler[..., Any]] = {}
        self._shift: Shift | None = None
        self._has_shift = asyncio.Event()

    def job(
        self, definition: str
    ) -> Callable[[Callable[_Parameters, _Return]], JobHandler[_Parameters, _Return]]:
        """Make a function the handler of a definition: `@robot.job("DailyReport")`.

        What it gives can be called like the function, and has the decorators `pre_running` and
        `post_running` for the actions around it.
        """
        if not isinstance(definition, str):
            raise TypeError('expected the name of a definition, as in @robot.job("DailyReport")')

        def register(
            function: Callable[_Parameters, _Return],
        ) -> JobHandler[_Parameters, _Return]:
            if definition in self._handlers:
                raise ValueError(f"expected one handler of {definition!r}, but got a second one")
            handler = JobHandler(definition, function)
            self._handlers[definition] = handler
            return handler

        return register

    @property
    def jobs(self) -> tuple[int, ...]:
        """Ids of the jobs it has now."""
        return self._shift.jobs if self._shift is not None else ()

    async def connected(self) -> None:
        """Return once the server has let the robot in. Only while `run` runs."""
        await self._has_shift.wait()
        assert self._shift is not None, "the event says so"
        await self._shift.connected()

    async def run(self) -> None:
        """Run jobs until `drain` is called; reconnects for ever.

        Raises `SessionSuperseded` when another robot of this name took over, and what else the
        server refuses for good. Cancelling it ends all handlers at once.
        """
        if self._shift is not None:
            raise RuntimeError(f"expected robot {self.name!r} to be idle, but it runs already")
        if not self._handlers:
            raise ValueError(
                "expected at least one handler; register some with @robot.job(definition)"
            )
        connection = Connection(
            self._address,
            partition=self._partition,
            user=self.name,
            timeout=self._timeout,
            options=self._options,
        )
        profile = RobotProfile(
            self.name,
            self._host,
            self.slots,
            self._queues,
            dict(self._handlers),
            self._server,
            self._resources,
        )
        self._shift = Shift(profile, connection, grace_seconds=self._grace_seconds)
        self._has_shift.set()
        try:
            await self._shift.work()
        finally:
            self._shift = None
            self._has_shift.clear()

    def drain(self) -> None:
        """Take no new jobs, finish those in hand within the grace time, then let `run` return."""
        if self._shift is not None:
            self._shift.leave()

    def serve(self) -> None:
        """Run jobs until SIGTERM or SIGINT, then drain; a second signal ends all at once."""
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        running = loop.create_task(self.run(), name="interlock-robot-run")
        told = False

        def hear_signal() -> None:
            nonlocal told
            if told:
                running.cancel()
            else:
                told = True
                self.drain()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, hear_signal)
        try:
            await running
        except asyncio.CancelledError:
            if not told:
                raise
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
