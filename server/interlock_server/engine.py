"""The single writer of a partition, and the only place where the order of steps is written.

Two loops with one short queue between them are the whole of group commit: commands are decided and
applied in
memory in groups; answers, orders to robots and publishing wait for the group's commit; meanwhile
the next
group is decided. If a commit fails the process has to stop: memory is ahead of the disk and there
is no undo.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import msgspec

from interlock_server.core import command as c
from interlock_server.core import kin
from interlock_server.core.change import Cause
from interlock_server.core.decide import take_turn
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.turn import Draft, Turn
from interlock_server.core.vocabulary.actor import Actor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from interlock_server.clock import Clock
    from interlock_server.core.change import ChangeBlock
    from interlock_server.core.command import Command
    from interlock_server.core.model.job import HistoryEntry, Job
    from interlock_server.core.turn import Effect
    from interlock_server.core.world import World

#: Items (jobs, reports) that one group may decide: how long the loop may be busy with it.
GROUP_ITEMS_MAX: Final = 20_000
#: Groups that are decided and wait for the disk: how far memory may run ahead of it.
UNDURABLE_MAX: Final = 1
#: Items from which on a group is decided while the disk is busy. Fewer wait until it is free and
#: let others join them: a commit of their own costs more than deciding them later. With 64 calls in
#: flight, groups are three times as large and a call takes a sixth less processor time.
AHEAD_ITEMS: Final = 1_000


class EngineError(Exception):
    """The command was not decided, or nobody knows whether it was."""


class Draining(EngineError):  # noqa: N818 - says what is
    """The server is stopping."""


class Overloaded(EngineError):  # noqa: N818 - says what is
    """Too many commands wait."""


class StorageFull(EngineError):  # noqa: N818 - says what is
    """The disk has too little space for changes."""


class OutcomeUnknown(EngineError):  # noqa: N818 - says what is
    """The commit failed or the process stops; the change may or may not be durable."""


class Once(NamedTuple):
    """A request that may be repeated.

    Its id, a digest of its content, and how to keep its answer. With the id "" it may not be
    repeated, and its answer is only converted while World shows what it is about.
    """

    request_id: str
    digest: bytes
    encode: Callable[[Any], bytes]


class Repeated(NamedTuple):
    """The answer that a request with this id got before, as it was encoded."""

    body: bytes


class KeptAnswer(NamedTuple):
    """What a request was answered: `kind` is "ok" or "refused"."""

    request_id: str
    at_ms: int
    digest: bytes
    kind: str
    body: bytes


class Envelope(NamedTuple):
    """A command on its way, and who waits for its answer."""

    command: Command
    actor: Actor
    author: str
    reason: str
    once: Once | None
    future: asyncio.Future[Any] | None
    #: Items (jobs, reports) that it is about.
    items: int


class Sealed(NamedTuple):
    """A group that is decided: what has to be durable before anybody hears of it."""

    number: int
    at_ms: int
    first_revision: int
    last_revision: int
    blocks: Sequence[ChangeBlock]
    #: Encoded facts and blocks; None if nothing has to be written.
    content: Any
    answers: list[KeptAnswer]
    effects: list[Effect]
    replies: list[tuple[asyncio.Future[Any], Any]]


class Store(Protocol):
    """What the engine needs of the storage: it knows no format and no disk."""

    def seal(
        self,
        draft: Draft,
        archived: list[Job],
        spilled: list[tuple[int, int, list[HistoryEntry]]],
    ) -> Any:
        """Encode a group's content, on the loop, while the records are as they were decided."""

    async def commit(self, group: Sealed) -> None:
        """Make a group durable. Any exception is final."""

    def publish(self, group: Sealed) -> None:
        """Let watchers and robots hear of a durable group."""


class Engine:
    """Decides the commands of one partition one by one, and makes them durable in groups."""

    def __init__(
        self, world: World, store: Store, clock: Clock, *, head_commit: int, inbox_max: int = 20_000
    ) -> None:
        """Take over a recovered World. `run` has to be called once."""
        self.world = world
        #: Number of the newest group that was decided; World shows exactly that.
        self.decided = head_commit
        #: Number of the newest group that is durable.
        self.durable = head_commit
        #: Answers to request ids, oldest first.
        self.answers: dict[str, KeptAnswer] = {}
        #: Set while the disk is too full for changes.
        self.refuse_writes = False
        self._store = store
        self._clock = clock
        self._now_ms = 0
        self._inbox: deque[Envelope] = deque()
        self._inbox_max = inbox_max
        self._internal: deque[Envelope] = deque()
        #: Items of the commands that wait.
        self._items = 0
        self._wakeup = asyncio.Event()
        self._undurable: asyncio.Queue[Sealed] = asyncio.Queue(UNDURABLE_MAX)
        self._barriers: deque[tuple[int, asyncio.Future[None]]] = deque()
        #: Everybody who waits for an answer, wherever their command is.
        self._waiting: dict[asyncio.Future[Any], None] = {}
        self._draining = False
        self._failure: BaseException | None = None

    # -- what others call -----------------------------------------------------------------------

    def submit(
        self,
        command: Command,
        *,
        actor: Actor = Actor.USER,
        author: str = "user",
        reason: str = "",
        once: Once | None = None,
    ) -> asyncio.Future[Any]:
        """Hand in a command.

        The future gets its answer, a Rejection or an EngineError, once it is durable.
        """
        if self._failure is not None:
            raise OutcomeUnknown
        if self._draining:
            raise Draining
        if self.refuse_writes:
            raise StorageFull
        if len(self._inbox) >= self._inbox_max:
            raise Overloaded
        future, items = self._promise(), _items(command)
        self._inbox.append(Envelope(command, actor, author, reason, once, future, items))
        self._came(items)
        return future

    def request(self, command: Command, *, actor: Actor, author: str) -> asyncio.Future[Any]:
        """Hand in a command of the server itself: never refused for load, also while draining."""
        if self._failure is not None:
            raise OutcomeUnknown
        future, items = self._promise(), _items(command)
        self._internal.append(Envelope(command, actor, author, "", None, future, items))
        self._came(items)
        return future

    def _promise(self) -> asyncio.Future[Any]:
        future = asyncio.get_running_loop().create_future()
        self._waiting[future] = None
        return future

    def _came(self, items: int) -> None:
        self._items += items
        if self._items >= AHEAD_ITEMS or self.durable == self.decided:
            self._wakeup.set()

    async def barrier(self) -> None:
        """Wait until everything that World shows now is durable."""
        if self._failure is not None:
            raise OutcomeUnknown
        if self.durable >= self.decided:
            return
        future = asyncio.get_running_loop().create_future()
        self._barriers.append((self.decided, future))
        await future

    def drain(self) -> None:
        """Refuse new commands of others from now on."""
        self._draining = True

    async def flush(self) -> None:
        """Wait until everything handed in so far is durable."""
        while self._inbox or self._internal or self.durable < self.decided:
            await self.request(c.Dispatch(jobs_max=0), actor=Actor.DISPATCHER, author="dispatcher")

    async def run(self) -> None:
        """Decide and commit until cancelled; raises what made it fail."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._decide_groups(), name="decide")
                tasks.create_task(self._commit_groups(), name="commit")
        except BaseException as error:
            self._fail(error)
            raise

    # -- the two loops --------------------------------------------------------------------------

    async def _decide_groups(self) -> None:
        while True:
            while not self._is_time():
                self._wakeup.clear()
                await self._wakeup.wait()
            self._undurable.put_nowait(self._decide_group())

    async def _commit_groups(self) -> None:
        while True:
            group = await self._undurable.get()
            self._wakeup.set()
            if group.content is not None:
                await self._store.commit(group)
            self.durable = group.number
            if group.content is not None:
                self._store.publish(group)  # watchers and robots first hear of it here
            self._answer(group)
            self._wakeup.set()

    def _is_time(self) -> bool:
        """Whether to decide the next group: there is work, and nothing is won by waiting."""
        if not self._has_work() or self._undurable.full():
            return False
        is_idle = self.durable == self.decided
        return is_idle or self._items >= AHEAD_ITEMS or self._has_follow_ups()

    def _has_work(self) -> bool:
        return self._items > 0 or self._has_follow_ups()

    def _has_follow_ups(self) -> bool:
        return bool(
            self.world.lanes.dirty
            or self.world.moving_queues
            or self.world.reviewing_starts
            or self.world.lock_lines.dirty
            or self.world.event_lines.dirty
        )

    def _decide_group(self) -> Sealed:
        """Decide what waits, and what follows for the dispatcher.

        No await: World stands still for others.
        """
        world, draft = self.world, Draft()
        first_revision = world.revision + 1
        self._now_ms = max(self._now_ms, self._clock.now_ms())
        answers: list[KeptAnswer] = []
        replies: list[tuple[asyncio.Future[Any], Any]] = []
        items = 0
        for inbox in (self._internal, self._inbox):
            while inbox and items < GROUP_ITEMS_MAX:
                envelope = inbox.popleft()
                items += envelope.items
                reply = self._decide(draft, envelope, answers)
                if envelope.future is not None:
                    replies.append((envelope.future, reply))
        self._items -= items
        self._follow_up(draft)
        return self._seal(draft, first_revision, answers, replies)

    def _follow_up(self, draft: Draft) -> None:
        """What is due, slices of a queue's hold and of a new calendar, locks, and dispatching.

        Bounded, and continued in the next group. What is due goes first: a job whose window has
        closed must not be dispatched because nobody has looked at the clock yet.
        """
        world = self.world
        due_ms = world.next_due_ms()
        if 0 < due_ms <= self._now_ms and self._turn(
            draft, c.PassDeadlines(), Actor.CLOCK, "deadline"
        ):
            return
        if world.moving_queues:
            self._turn(draft, c.MoveQueueJobs(), Actor.USER, "user")
        if world.reviewing_starts:
            self._turn(draft, c.ReviewStarts(), Actor.SYSTEM, "calendar")
        if world.event_lines.dirty:
            self._turn(draft, c.HandEvents(), Actor.NAMED_EVENT, "events")
        if world.lock_lines.dirty:
            self._turn(draft, c.GrantLocks(), Actor.DISPATCHER, "dispatcher")
        if world.lanes.dirty:
            self._turn(draft, c.Dispatch(), Actor.DISPATCHER, "dispatcher")

    def _turn(self, draft: Draft, command: Command, actor: Actor, author: str) -> Any:
        return take_turn(self.world, draft, command, Cause(self._now_ms, int(actor), author))

    def _decide(self, draft: Draft, envelope: Envelope, answers: list[KeptAnswer]) -> Any:
        once = envelope.once
        if once is not None and once.request_id:
            known = self.answers.get(once.request_id)
            if known is not None:
                return _repeat(known, once)
        cause = Cause(
            self._now_ms,
            int(envelope.actor),
            envelope.author,
            envelope.reason,
            once.request_id if once else "",
        )
        answer = take_turn(self.world, draft, envelope.command, cause)
        if once is not None:
            # Converted now even if it is not kept: later World shows more than is durable.
            kept = _keep(once, answer, self._now_ms)
            if once.request_id:
                self.answers[once.request_id] = kept
                answers.append(kept)
        return answer

    def _seal(
        self,
        draft: Draft,
        first_revision: int,
        answers: list[KeptAnswer],
        replies: list[tuple[asyncio.Future[Any], Any]],
    ) -> Sealed:
        world = self.world
        archived = self._archive(draft)
        spilled, world.spilled = world.spilled, []
        content = None
        if draft or answers:
            content = self._store.seal(draft, archived, spilled)
            self.decided += 1
        return Sealed(
            self.decided,
            self._now_ms,
            first_revision,
            world.revision,
            draft.blocks,
            content,
            answers,
            draft.effects,
            replies,
        )

    def _archive(self, draft: Draft) -> list[Job]:
        """Let final jobs leave memory, in the same commit that archives them.

        An open message keeps one, and so does a chain that is not over.
        """
        world = self.world
        if not world.finished:
            return []
        finished, world.finished = world.finished, []
        turn = Turn(world, draft, Cause(self._now_ms))
        archived: list[Job] = []
        for job_id in finished:
            job = world.jobs.get(job_id)
            if job is not None and kin.may_leave(world, job):
                turn.forget(job_id)
                archived.append(job)
        return archived

    def _answer(self, group: Sealed) -> None:
        for future, reply in group.replies:
            self._waiting.pop(future, None)
            if future.done():
                continue  # whoever waited has given up; the change stays
            if isinstance(reply, Rejection):
                future.set_exception(reply)
            else:
                future.set_result(reply)
        barriers = self._barriers
        while barriers and barriers[0][0] <= self.durable:
            _, waiting = barriers.popleft()
            if not waiting.done():
                waiting.set_result(None)

    def _fail(self, error: BaseException) -> None:
        """Nobody knows what of the rest is durable; recovery will say."""
        self._failure = error
        waiting = [*(future for _, future in self._barriers), *self._waiting]
        self._waiting.clear()
        for future in waiting:
            if not future.done():
                future.set_exception(OutcomeUnknown())
                future.exception()  # whoever waited may be gone


def _items(command: Command) -> int:
    """How much there is to decide, at least 1."""
    match command:
        case c.Report() | c.ChangeJobs() | c.RestartJobs():
            return len(command.jobs) or 1
        case c.SubmitJobs():
            return sum(new.count for new in command.jobs) or 1
        case _:
            return 1


def _keep(once: Once, answer: Any, now_ms: int) -> KeptAnswer:
    if isinstance(answer, Rejection):
        body = msgspec.msgpack.encode((int(answer.reason), answer.sentence, answer.metadata))
        return KeptAnswer(once.request_id, now_ms, once.digest, "refused", body)
    return KeptAnswer(once.request_id, now_ms, once.digest, "ok", once.encode(answer))


def _repeat(known: KeptAnswer, once: Once) -> Repeated | Rejection:
    if known.digest != once.digest:
        return Rejection(
            Reason.REQUEST_ID_CONFLICT,
            f"request_id {once.request_id!r} was used for another request; take a new one",
        )
    if known.kind == "refused":
        reason, sentence, metadata = msgspec.msgpack.decode(known.body)
        return Rejection(Reason(reason), sentence, **metadata)
    return Repeated(known.body)
