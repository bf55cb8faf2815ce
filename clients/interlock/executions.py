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

    from interlock.client import Interlock
    from interlock.outbox import Outbox
    from interlock.recorder import Recorder
    from interlock.v1.job_service_pb2 import Refusal
    from interlock.v1.robot_service_pb2 import JobVerdict

    #: An async or plain function of one run.
    Handler = Callable[[Any], Any]

_LOG: Final = logging.getLogger("interlock.robot")
#: Refusals that say that the job is not this robot's (any more).
_NOT_OURS: Final = frozenset({"STALE_FENCE", "NOT_ASSIGNED", "FENCE_UNKNOWN", "ALREADY_FINAL"})


@dataclass(eq=False, slots=True)
class _Execution:
    offer: Offer
    handler: Handler
    conversation: Conversation
    #: None while it waits for a slot.
    task: asyncio.Task[Ending] | None = None
    #: KILLED or CANCEL_CONFIRMED if that was ordered, whatever the handler does.
    ordered_end: int = 0


class Executions:
    """The jobs of one robot."""

    def __init__(
        self,
        handlers: Mapping[str, Handler],
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
        self._tasks: set[asyncio.Task[Ending]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._abandoned = False
        self._is_async = {
            name: inspect.iscoroutinefunction(handler) for name, handler in handlers.items()
        }
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
            RunningJob(job=job, fence=each.offer.fence, started=each.task is not None)
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
        execution = _Execution(offer, handler, conversation)
        self._executions[offer.job] = execution
        self._idle.clear()
        # A UiPath job has no status between offered and running.
        if offer.lifecycle == LIFECYCLE_REDWOOD or self._free <= 0:
            conversation.report(REPORT_KIND_ACCEPTED)
        if self._free > 0:
            self._start(execution)
        else:
            self._queued.append(execution)

    def _start(self, execution: _Execution) -> None:
        self._free -= 1
        execution.conversation.report(REPORT_KIND_STARTED)
        is_async = self._is_async[execution.offer.definition]
        coroutine = self._await(execution) if is_async else self._call_in_thread(execution)
        execution.task = task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, execution))

    async def _await(self, execution: _Execution) -> Ending:
        run = Run(execution.offer, execution.conversation, self._interlock)
        try:
            return ending_of(await execution.handler(run))
        except Suspended as suspended:
            return Ending(ReportKind.REPORT_KIND_SUSPENDED, suspended.detail)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a fault of the job, not of the robot
            return raised(error)

    async def _call_in_thread(self, execution: _Execution) -> Ending:
        run = SyncRun(execution.offer, execution.conversation, self._interlock, self._loop)
        return await self._loop.run_in_executor(self._threads, _call, execution.handler, run)

    def _ended(self, execution: _Execution, task: asyncio.Task[Ending]) -> None:
        self._free += 1
        self._tasks.discard(task)
        if self._executions.get(execution.offer.job) is execution:
            del self._executions[execution.offer.job]
        if (ending := self._ending_to_report(execution, task)) is not None:
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

    def _confirm_absence(self, order: Order) -> None:
        # What is not here is certainly not executing; the server may be waiting for that word.
        ends = {
            OrderKind.ORDER_KIND_KILL: ReportKind.REPORT_KIND_KILLED,
            OrderKind.ORDER_KIND_CANCEL: ReportKind.REPORT_KIND_CANCEL_CONFIRMED,
        }
        kind = ends.get(order.kind)
        if kind and (order.job, order.fence) not in self._outbox.pending_ends():
            self._outbox.add(order.job, order.fence, kind)

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
        execution.ordered_end = kind
        if execution.task is None:
            self._queued.remove(execution)
            del self._executions[execution.offer.job]
            execution.conversation.report(kind)
            self._look_idle()
        else:
            self._interrupt(execution)

    def _forget(self, execution: _Execution) -> None:
        execution.conversation.close()
        del self._executions[execution.offer.job]
        if execution.task is None:
            self._queued.remove(execution)
        else:
            self._interrupt(execution)
        self._look_idle()

    def _interrupt(self, execution: _Execution) -> None:
        execution.conversation.interrupt()
        # A thread cannot be ended; its task is over when the thread is.
        if execution.task is not None and self._is_async[execution.offer.definition]:
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


def _call(handler: Handler, run: SyncRun) -> Ending:
    try:
        return ending_of(handler(run))
    except Suspended as suspended:
        return Ending(ReportKind.REPORT_KIND_SUSPENDED, suspended.detail)
    except RunEnded:
        return failed("ENDED", "the handler was ended from outside")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a fault of the job, not of the robot
        return raised(error)
