"""`connect` and Interlock: everything a program that is no robot does with a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interlock.admin import AdminCalls
from interlock.catalog import CatalogCalls
from interlock.connection import Connection
from interlock.explanation import ExplainCalls
from interlock.filter import make_filter
from interlock.jobs import JobCalls
from interlock.locks import LockCalls
from interlock.manifest_calls import ManifestCalls
from interlock.media import MediaCalls
from interlock.named_events import NamedEventCalls
from interlock.schedules import ScheduleCalls
from interlock.servers import ServerCalls
from interlock.verbs import VerbCalls
from interlock.watch import Watch
from interlock.windows import WindowCalls

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from interlock.job import Job


def connect(
    address: str | None = None,
    *,
    partition: str = "default",
    user: str | None = None,
    timeout: float = 30.0,
    options: Sequence[tuple[str, Any]] = (),
) -> Interlock:
    """Return a connection to a partition of a server, for use with `async with`.

    The address is host:port or unix:PATH; by default that in INTERLOCK_ADDRESS, or
    localhost:7350. `user` is who the history names. `timeout` is how many seconds a call may take,
    repetitions included. `options` are channel options of grpc.
    """
    return Interlock(
        Connection(address, partition=partition, user=user, timeout=timeout, options=options)
    )


class Interlock(
    VerbCalls,
    CatalogCalls,
    ServerCalls,
    NamedEventCalls,
    LockCalls,
    WindowCalls,
    ScheduleCalls,
    ManifestCalls,
    ExplainCalls,
    AdminCalls,
    JobCalls,
):
    """A connection to one partition of a server.

    Every call that changes something is durable when it returns and carries a request_id: it is
    repeated by itself when an answer is lost, and carried out once. Refusals are raised as
    `Refused`; `Indeterminate` means that nobody knows.
    """

    def __init__(self, connection: Connection) -> None:
        #: Calls about recordings.
        self.media = MediaCalls(connection)
        JobCalls.__init__(self, connection)
        VerbCalls.__init__(self, connection)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End every call and watch. May be called again."""
        await self._connection.close()

    @property
    def address(self) -> str:
        """The server's address."""
        return self._connection.address

    @property
    def partition(self) -> str:
        """The partition that every call is about."""
        return self._connection.partition

    def watch(
        self,
        *,
        from_revision: int | None = None,
        history_id: str = "",
        snapshot: bool = False,
        lifecycles: Iterable[str | int] = (),
        statuses: Iterable[str | int] = (),
        states: Iterable[str | int] = (),
        definitions: Iterable[str] = (),
        queues: Iterable[str] = (),
        robots: Iterable[str] = (),
        jobs: Iterable[int] = (),
        labels: Mapping[str, str] | None = None,
        columns: bool = True,
    ) -> Watch:
        """Return a watch of the changes that match: ordered, gap-free, none twice.

        It starts after `from_revision`, or now. Give the `history_id` of the watch that the
        revision is from as well: if a backup was restored since, HistoryChanged is raised instead
        of showing other changes under the same numbers. `snapshot` asks for the live jobs that
        match first; see `Watch.snapshot`. Use it as `async with`, or iterate over it and `close`
        it.
        """
        selected = make_filter(
            lifecycles=lifecycles,
            statuses=statuses,
            states=states,
            definitions=definitions,
            queues=queues,
            robots=robots,
            jobs=jobs,
            labels=labels,
        )
        return Watch(
            self._connection,
            selected,
            from_revision=from_revision,
            history_id=history_id,
            snapshot=snapshot,
            columns=columns,
        )

    async def wait(self, job: int) -> Job:
        """Return the job once it is over, however long that takes."""
        found, revision = await self._get(job)
        if not found.final:
            async with self.watch(from_revision=revision, jobs=[job], states=["final"]) as watch:
                async for _ in watch:
                    break
            found = await self.get(job)
        return found
