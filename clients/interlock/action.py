"""Actions: code of a robot that runs before or after that of a Redwood job, and may turn it around.

They are registered on what `@robot.job(definition)` gives, and run when the definition says that
its robots have such code (`pre_running_code`, `post_running_code`).
"""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from google.protobuf.duration_pb2 import Duration

from interlock import json_text
from interlock.ending import raised
from interlock.instant import to_seconds
from interlock.offered import Offered
from interlock.status import status_name
from interlock.v1.definition_pb2 import RuleEffect
from interlock.v1.robot_service_pb2 import ActionOutcome, ReportDetail, ReportKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from interlock.client import Interlock
    from interlock.ending import Ending
    from interlock.v1.robot_service_pb2 import Offer, Order

_Parameters = ParamSpec("_Parameters")
_Return = TypeVar("_Return")
_Function = TypeVar("_Function", bound="Callable[..., Any]")

_KINDS = {
    ReportKind.REPORT_KIND_COMPLETED: "completed",
    ReportKind.REPORT_KIND_FAILED: "failed",
    ReportKind.REPORT_KIND_CANCELED: "canceled",
    ReportKind.REPORT_KIND_KILLED: "killed",
}


class JobHandler(Generic[_Parameters, _Return]):
    """The handler of a definition, with the actions around it. Calling it calls the function."""

    __name__: str

    def __init__(self, definition: str, function: Callable[_Parameters, _Return]) -> None:
        functools.update_wrapper(self, function)
        self.definition = definition
        self.function = function
        self.before: Callable[..., Any] | None = None
        self.after: Callable[..., Any] | None = None
        self.is_async = inspect.iscoroutinefunction(function)

    def __call__(self, *args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Return:
        """Call the function."""
        return self.function(*args, **kwargs)

    def pre_running(self, function: _Function) -> _Function:
        """Make a function the pre-running action: `@load.pre_running`.

        It gets a `PreRun`. Returning nothing lets the job run; `run.hold(...)` and the like turn it
        around; raising makes it Error.
        """
        if self.before is not None:
            raise ValueError(f"expected one pre-running action of {self.definition!r}, but got two")
        self.before = function
        return function

    def post_running(self, function: _Function) -> _Function:
        """Make a function the post-running action: `@load.post_running`.

        It gets a `PostRun`. Returning nothing keeps the result; `run.completed()` and
        `run.failed()` replace it; raising makes it Error. What it does is no run time of the job.
        """
        if self.after is not None:
            raise ValueError(
                f"expected one post-running action of {self.definition!r}, but got two"
            )
        self.after = function
        return function


@dataclass(frozen=True, slots=True)
class Decision:
    """What an action returns to turn its job around."""

    detail: ReportDetail


def _decision(
    effect: RuleEffect.ValueType, reason: str, *, delay: Duration | None = None, queue: str = ""
) -> Decision:
    outcome = ActionOutcome(effect=effect, delay=delay, queue=queue)
    return Decision(ReportDetail(action=outcome, reason=reason))


class PreRun(Offered):
    """What a pre-running action gets: the job that is about to run."""

    def __init__(self, offer: Offer, interlock: Interlock, order: Order) -> None:
        super().__init__(offer, interlock)
        #: The status in which it waited last, such as "Queued", "EventWait" or "LockWait".
        self.old_status = status_name(order.old_status)

    def hold(self, reason: str = "") -> Decision:
        """Return this: the job becomes Held, and starts again when a person releases it."""
        return _decision(RuleEffect.RULE_EFFECT_HOLD, reason)

    def cancel(self, reason: str = "") -> Decision:
        """Return this: the job becomes Canceled."""
        return _decision(RuleEffect.RULE_EFFECT_CANCEL, reason)

    def fail(self, reason: str = "") -> Decision:
        """Return this: the job becomes Error without having run."""
        return _decision(RuleEffect.RULE_EFFECT_FAIL, reason)

    def reschedule(self, delay: timedelta | float, reason: str = "") -> Decision:
        """Return this: the job is Scheduled again, to start after a time (in seconds)."""
        span = Duration()
        span.FromMilliseconds(round(to_seconds(delay) * 1000))
        return _decision(RuleEffect.RULE_EFFECT_RESCHEDULE, reason, delay=span)

    def move(self, queue: str, reason: str = "") -> Decision:
        """Return this: the job is Scheduled again, in another queue."""
        return _decision(RuleEffect.RULE_EFFECT_MOVE, reason, queue=queue)


class PostRun(Offered):
    """What a post-running action gets: the job that has ended, and how."""

    def __init__(self, offer: Offer, interlock: Interlock, order: Order, ending: Ending) -> None:
        super().__init__(offer, interlock)
        detail = ending.detail or ReportDetail()
        #: The final status that the job has unless the action says otherwise.
        self.new_status = status_name(order.new_status)
        #: How the handler ended: "completed", "failed", "canceled" or "killed".
        self.ended = _KINDS.get(ReportKind.ValueType(ending.kind), "failed")
        self.return_code = detail.return_code
        #: What the handler returned; None if that was nothing.
        self.result = json_text.decode(detail.result_json)
        #: Code and title of its fault; empty if there was none.
        self.fault_code, self.fault_title = detail.fault.code, detail.fault.title

    def completed(self, reason: str = "") -> Decision:
        """Return this: the job is Completed, whatever it was."""
        return _decision(RuleEffect.RULE_EFFECT_COMPLETE, reason)

    def failed(self, reason: str = "") -> Decision:
        """Return this: the job is Error, whatever it was."""
        return _decision(RuleEffect.RULE_EFFECT_FAIL, reason)


def detail_of(value: Any) -> ReportDetail | None:
    """Return what an action's return value means; raises TypeError for what means nothing."""
    if value is None:
        return None
    if not isinstance(value, Decision):
        raise TypeError(
            "expected an action to return nothing or a decision such as run.hold(), but got "
            f"{type(value).__name__}"
        )
    return value.detail


def fault_of(error: BaseException) -> ReportDetail:
    """Return what an action says that raised."""
    detail = raised(error).detail
    assert detail is not None, "what was raised has a fault"
    return detail
