"""Executions: the jobs that a robot has, from the offer to the end report.

Everything here happens on the event loop and without waiting, so thousands of offers, orders and
ends are worked off between two messages; only the handlers themselves take time.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from interlock.action import PostRun, PreRun, detail_of, fault_of
from interlock.conversation import Conversation
from interlock.ending import Ending, ending_of, failed, raised
from interlock.errors import NotFound, refused
from interlock.outbox import ENDS
from interlock.run import Run, RunEnded, SyncRun
from interlock.suspension import Suspended
from interlock.v1.robot_service_pb2 import (
    REPORT_KIND_ACCEPTED,
    REPORT_KIND_STARTED,
    Offer,
    Order,
    OrderAck,
    OrderKind,
    ReportKind,
    RunningJob,
    Verdict,
)
from interlock.v1.status_pb2 import LIFECYCLE_REDWOOD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from interlock.action import JobHandler
    from interlock.client import Interlock
    from interlock.outbox import Outbox
    from interlock.recorder import Recorder
    from interlock.v1.job_outcome_pb2 import Refusal
    from interlock.v1.robot_service_pb2 import JobVerdict, ReportDetail

    #: An async or plain function of one run.
    Handler = Callable[[Any], Any]

_LOG: Final = logging.getLogger("interlock.robot")
#: Refusals that say that the job is not this robot's (any more).
_NOT_OURS: Final = frozenset({"STALE_FENCE", "NOT_ASSIGNED", "FENCE_UNKNOWN", "ALREADY_FINAL"})


#: After these the post-running action looks at the result.
_RESULTS: Final = frozenset(
    {
        ReportKind.REPORT_KIND_COMPLETED,
        ReportKind.REPORT_KIND_FAILED,
        ReportKind.REPORT_KIND_CANCELED,
        ReportKind.REPORT_KIND_KILLED,
    }
)


@dataclass(eq=False, slots=True)
class _Execution:
    offer: Offer
    handler: JobHandler[..., Any]
    conversation: Conversation
    #: It has a pre-running action, and was not ordered to start.
    waits: bool = False
    #: None while it waits for a slot or for the order to start.
    task: asyncio.Task[Ending] | None = None
    #: The action that runs now.
    action: asyncio.Task[ReportDetail | None] | None = None
    #: It was told what the pre-running action decided.
    has_decided: bool = False
    #: How it ended, while its post-running action may still be ordered.
    ending: Ending | None = None
    #: KILLED or CANCEL_CONFIRMED if that was ordered, whatever the handler does.
    ordered_end: int = 0


class Executions:
    """The jobs of one robot."""

    def __init__(
        self,
        handlers: Mapping[str, JobHandler[..., Any]],
        *,
        slots: int,
        outbox: Outbox,
        interlock: Interlock,
        recorder: Recorder,
    ) -> None:
        self._handlers = handlers
        self._free = slots
        self._outbox = outbox
        self._interlock = interlock
        self.recorder = recorder
        self._loop = asyncio.get_running_loop()
        self._executions: dict[int, _Execution] = {}
        #: Accepted, but every slot is taken: threads of killed jobs may still run.
        self._queued: deque[_Execution] = deque()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._abandoned = False
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="interlock-run")
        #: Set by a robot that drains.
        self.refuses_offers = False

    @property
    def jobs(self) -> tuple[int, ...]:
        """Ids of the jobs that the robot has."""
        return tuple(self._executions)

    def running(self) -> list[RunningJob]:
        """Return what Hello has to say: jobs in hand, and those whose end report follows."""
        in_hand = [
            RunningJob(
                job=job,
                fence=each.offer.fence,
                started=each.task is not None,
                ended=each.ending is not None,
            )
            for job, each in self._executions.items()
        ]
        ended = [
            RunningJob(job=job, fence=fence, started=True, ended=True)
            for job, fence in self._outbox.pending_ends()
            if job not in self._executions
        ]
        return in_hand + ended

    def take(self, offers: Iterable[Offer]) -> None:
        """Accept offers and start them while slots are free."""
        for offer in offers:
            self._take(offer)

    def _take(self, offer: Offer) -> None:
        handler = self._handlers.get(offer.definition)
        if handler is None or self.refuses_offers:
            self._outbox.add(offer.job, offer.fence, ReportKind.REPORT_KIND_REFUSED)
            return
        if known := self._executions.get(offer.job):
            if known.offer.fence >= offer.fence:
                return
            self._forget(known)  # a newer attempt: the older one is not ours any more
        conversation = Conversation(offer.job, offer.fence, self._outbox)
        execution = _Execution(offer, handler, conversation, offer.wait_for_start)
        self._executions[offer.job] = execution
        self._idle.clear()
        # A UiPath job has no status between offered and running.
        if offer.lifecycle == LIFECYCLE_REDWOOD or self._free <= 0:
            conversation.report(REPORT_KIND_ACCEPTED)
        if not execution.waits:
            self._start_when_free(execution)

    def _start_when_free(self, execution: _Execution) -> None:
        if self._free > 0:
            self._start(execution)
        else:
            self._queued.append(execution)

    def _start(self, execution: _Execution) -> None:
        self._free -= 1
        execution.conversation.report(REPORT_KIND_STARTED)
        is_async = execution.handler.is_async
        coroutine = self._await(execution) if is_async else self._call_in_thread(execution)
        execution.task = task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, execution))

    async def _await(self, execution: _Execution) -> Ending:
        run = Run(execution.offer, execution.conversation, self._interlock)
        try:
            return ending_of(await execution.handler.function(run))
        except Suspended as suspended:
            return Ending(ReportKind.REPORT_KIND_SUSPENDED, suspended.detail)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a fault of the job, not of the robot
            return raised(error)

    async def _call_in_thread(self, execution: _Execution) -> Ending:
        run = SyncRun(execution.offer, execution.conversation, self._interlock, self._loop)
        return await self._loop.run_in_executor(
            self._threads, _call, execution.handler.function, run
        )

    def _ended(self, execution: _Execution, task: asyncio.Task[Ending]) -> None:
        self._free += 1
        self._tasks.discard(task)
        ending = self._ending_to_report(execution, task)
        if ending is not None and execution.offer.post_running_code and ending.kind in _RESULTS:
            execution.ending = ending  # the server says what comes: the action, or nothing
        elif self._executions.get(execution.offer.job) is execution:
            del self._executions[execution.offer.job]
        if ending is not None:
            execution.conversation.report(ending.kind, ending.detail)
        conversation = execution.conversation
        if conversation.recordings and not (conversation.closed or self._abandoned):
            self.recorder.send(conversation.job, conversation.fence, conversation.recordings)
        while self._queued and self._free > 0 and not self._abandoned:
            self._start(self._queued.popleft())
        self._look_idle()

    def _ending_to_report(self, execution: _Execution, task: asyncio.Task[Ending]) -> Ending | None:
        if execution.ordered_end:
            return Ending(execution.ordered_end)
        if execution.conversation.ended_by_reply:
            return None
        if not task.cancelled():
            error = task.exception()
            return raised(error) if error else task.result()
        if self._abandoned:  # the goodbye ends it, as the definition says
            return None
        return failed("CANCELLED", "the handler was cancelled without an order")

    def _look_idle(self) -> None:
        if not self._executions:
            self._idle.set()

    def obey(self, orders: Iterable[Order]) -> list[OrderAck]:
        """Carry out orders; returns the acknowledgements. The same order may come again."""
        acks: list[OrderAck] = []
        for order in orders:
            acks.append(
                OrderAck(job=order.job, fence=order.fence, kind=order.kind, message=order.message)
            )
            self._obey(order)
        return acks

    def _obey(self, order: Order) -> None:
        execution = self._executions.get(order.job)
        if execution is None or execution.offer.fence != order.fence:
            if execution is None:
                self._confirm_absence(order)
            return
        match order.kind:
            case OrderKind.ORDER_KIND_STOP:
                execution.conversation.hear_stop()
            case OrderKind.ORDER_KIND_KILL:
                self._end(execution, ReportKind.REPORT_KIND_KILLED)
            case OrderKind.ORDER_KIND_CANCEL:
                self._end(execution, ReportKind.REPORT_KIND_CANCEL_CONFIRMED)
            case OrderKind.ORDER_KIND_FORGET:
                self._forget(execution)
            case OrderKind.ORDER_KIND_REPLY:
                execution.conversation.hear_reply(order.message, order.reply)
            case OrderKind.ORDER_KIND_START if execution.waits:
                execution.waits = False
                self._start_when_free(execution)
            case OrderKind.ORDER_KIND_RUN_PRE_RUNNING if execution.waits:
                if not execution.has_decided:
                    run = PreRun(execution.offer, self._interlock, order)
                    self._act(execution, execution.handler.before, run)
            case OrderKind.ORDER_KIND_RUN_POST_RUNNING if execution.ending is not None:
                ended = PostRun(execution.offer, self._interlock, order, execution.ending)
                self._act(execution, execution.handler.after, ended)

    # -- actions --------------------------------------------------------------------------------

    def _act(self, execution: _Execution, function: Handler | None, run: PreRun | PostRun) -> None:
        if execution.action is not None:
            return  # the order came again
        task = execution.action = self._loop.create_task(self._run_action(function, run))
        self._tasks.add(task)
        task.add_done_callback(partial(self._acted, execution))

    async def _run_action(
        self, function: Handler | None, run: PreRun | PostRun
    ) -> ReportDetail | None:
        if function is None:
            return failed("NO_ACTION", f"the robot has no such action of {run.definition!r}").detail
        try:
            if inspect.iscoroutinefunction(function):
                return detail_of(await function(run))
            return detail_of(await self._loop.run_in_executor(self._threads, function, run))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a fault of the job, not of the robot
            return fault_of(error)

    def _acted(self, execution: _Execution, task: asyncio.Task[ReportDetail | None]) -> None:
        self._tasks.discard(task)
        execution.action = None
        if execution.ordered_end and execution.ending is None:
            self._drop(execution)
            execution.conversation.report(execution.ordered_end)
        elif not task.cancelled():
            execution.has_decided = True
            kind = ReportKind.REPORT_KIND_PRE_RUNNING_DONE
            if execution.ending is not None:
                kind = ReportKind.REPORT_KIND_POST_RUNNING_DONE
                self._drop(execution)
            execution.conversation.report(kind, task.result())
        self._look_idle()

    def _drop(self, execution: _Execution) -> None:
        if self._executions.get(execution.offer.job) is execution:
            del self._executions[execution.offer.job]

    # -- what is not here -----------------------------------------------------------------------

    def _confirm_absence(self, order: Order) -> None:
        # What is not here is certainly not executing; the server may be waiting for that word.
        ends = {
            OrderKind.ORDER_KIND_KILL: ReportKind.REPORT_KIND_KILLED,
            OrderKind.ORDER_KIND_CANCEL: ReportKind.REPORT_KIND_CANCEL_CONFIRMED,
            OrderKind.ORDER_KIND_RUN_PRE_RUNNING: ReportKind.REPORT_KIND_PRE_RUNNING_DONE,
            OrderKind.ORDER_KIND_RUN_POST_RUNNING: ReportKind.REPORT_KIND_POST_RUNNING_DONE,
        }
        kind = ends.get(order.kind)
        if kind and (order.job, order.fence) not in self._outbox.pending_ends():
            detail = _absent() if kind in _ACTIONS_DONE else None
            self._outbox.add(order.job, order.fence, kind, detail)

    def judge(self, verdicts: Iterable[JobVerdict]) -> None:
        """Carry out what the server says about the jobs that Hello named."""
        for verdict in verdicts:
            execution = self._executions.get(verdict.job)
            if execution is None or execution.offer.fence != verdict.fence:
                continue
            match verdict.verdict:
                case Verdict.VERDICT_STOP:
                    execution.conversation.hear_stop()
                case Verdict.VERDICT_KILL:
                    self._end(execution, ReportKind.REPORT_KIND_KILLED)
                case Verdict.VERDICT_FORGET:
                    self._forget(execution)

    def hear_refusal(self, job: int, fence: int, kind: int, refusal: Refusal) -> None:
        """A report changed nothing. Ends the job's run if it is not this robot's any more."""
        error = refused(refusal)
        execution = self._executions.get(job)
        if execution is not None and execution.offer.fence != fence:
            execution = None
        not_ours = refusal.reason in _NOT_OURS or isinstance(error, NotFound)
        if not_ours:
            if execution is not None:
                self._forget(execution)
        elif kind in _ACTIONS_DONE:
            fault = failed(refusal.reason, refusal.message)
            self._outbox.add(job, fence, kind, fault.detail)
        elif kind in ENDS:
            if kind != ReportKind.REPORT_KIND_FAILED:
                # The job must not stay with a robot that has ended it.
                fault = failed(refusal.reason, refusal.message)
                self._outbox.add(job, fence, fault.kind, fault.detail)
        elif execution is not None and execution.conversation.hear_refusal(kind, error):
            return
        name = ReportKind.Name(ReportKind.ValueType(kind))
        _LOG.warning("report %s of job %d was refused: %s", name, job, refusal.message)

    def _end(self, execution: _Execution, kind: int) -> None:
        if execution.ending is not None:
            return  # its end was reported
        execution.ordered_end = kind
        if execution.action is not None:
            self._cancel_action(execution)
        elif execution.task is None:
            self._unqueue(execution)
            del self._executions[execution.offer.job]
            execution.conversation.report(kind)
            self._look_idle()
        else:
            self._interrupt(execution)

    def _unqueue(self, execution: _Execution) -> None:
        if execution in self._queued:
            self._queued.remove(execution)

    def _cancel_action(self, execution: _Execution) -> None:
        # A thread cannot be ended; what it decides then counts no more.
        action = execution.handler.before if execution.ending is None else execution.handler.after
        if execution.action is not None and inspect.iscoroutinefunction(action):
            execution.action.cancel()

    def _forget(self, execution: _Execution) -> None:
        execution.conversation.close()
        del self._executions[execution.offer.job]
        if execution.action is not None:
            self._cancel_action(execution)
        elif execution.task is None:
            self._unqueue(execution)
        else:
            self._interrupt(execution)
        self._look_idle()

    def _interrupt(self, execution: _Execution) -> None:
        execution.conversation.interrupt()
        # A thread cannot be ended; its task is over when the thread is.
        if execution.task is not None and execution.handler.is_async:
            execution.task.cancel()

    async def idle(self) -> None:
        """Return once the robot has no jobs."""
        await self._idle.wait()

    async def abandon(self) -> None:
        """End all handlers at once and report nothing about them."""
        self._abandoned = True
        self._queued.clear()
        for execution in self._executions.values():
            execution.conversation.interrupt()
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._executions.clear()
        self._idle.set()
        self._threads.shutdown(wait=False, cancel_futures=True)


#: Reports of what an action decided.
_ACTIONS_DONE: Final = frozenset(
    {ReportKind.REPORT_KIND_PRE_RUNNING_DONE, ReportKind.REPORT_KIND_POST_RUNNING_DONE}
)


def _absent() -> ReportDetail | None:
    return failed("ROBOT_LOST", "the robot does not have the job any more").detail


def _call(handler: Handler, run: SyncRun) -> Ending:
    try:
        return ending_of(handler(run))
    except Suspended as suspended:
        return Ending(ReportKind.REPORT_KIND_SUSPENDED, suspended.detail)
    except RunEnded:
        return failed("ENDED", "the handler was ended from outside")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a fault of the job, not of the robot
        return raised(error)
