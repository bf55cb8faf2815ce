"""What an expression can read at each place where a definition may hold one.

The types are CEL's. A name with a dot is one typed variable: `job.priority == 'high'` is refused
when the definition is made, and so is `job.prioritty`. Callers hand in nested values all the same:
{"job": {"priority": 50, ...}, "now": 1764000000000}. Times are milliseconds since 1970.
Released names and types are added to, never changed: expressions are stored as text.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The job that the expression is about.
_JOB: Final = {
    #: Its number.
    "job.id": "int",
    #: The name of its definition.
    "job.definition": "string",
    #: The name of its queue.
    "job.queue": "string",
    #: Larger is more urgent.
    "job.priority": "int",
    #: What it was submitted with, defaults filled in; each value is any JSON.
    "job.parameters": "map<string, dyn>",
    #: Its labels.
    "job.labels": "map<string, string>",
    #: The name of its status, as in "Scheduled".
    "job.status": "string",
    #: The time from which it may start.
    "job.start_time": "timestamp",
    #: Who submitted it; "" when nobody did.
    "job.submitted_by": "string",
    #: What it ended with; null until then.
    "job.return_code": "dyn",
    #: How often it was restarted before; 0 for the first run.
    "job.restarts": "int",
}

#: The chain whose steps and calls the expression is about.
_CHAIN: Final = {
    #: The number of the chain's own job.
    "chain.id": "int",
    #: The name of its definition.
    "chain.definition": "string",
    #: What it was submitted with; each value is any JSON.
    "chain.parameters": "map<string, dyn>",
    #: Which run of the step this is; 1 for the first.
    "chain.iteration": "int",
    #: Step name to {"status", "calls"}, and calls is call name to {"status", "return_code",
    #: "result"}; of a repeated step the latest run. return_code and result are null until known.
    "steps": "map<string, dyn>",
}

#: What every expression can read.
_ALWAYS: Final = {
    #: The instant of the decision, the same one for all that is decided together.
    "now": "timestamp",
    #: Window name to whether it is open now. Only names written in the expression: windows["a"].
    "windows": "map<string, bool>",
}

#: A change of status that an action follows.
_CHANGE: Final = {
    #: The name of the status that is left.
    "old_status": "string",
    #: The name of the status that is entered; for a post-running action the provisional one.
    "new_status": "string",
}

#: Maps of which an expression may read nothing but keys that are written in it, so that the caller
#: can say at definition time which of them do not exist, and prepare no others.
BY_NAME: Final = frozenset({"windows"})


def _place(*parts: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({name: kind for part in parts for name, kind in part.items()})


#: Whether a new job starts on hold. Gives a bool.
HOLD_ON_SUBMIT: Final = _place(_JOB, _ALWAYS)
#: Whether an action of the definition applies to a change of status before Queued. Gives a bool.
ON_CHANGE: Final = _place(_JOB, _CHANGE, _ALWAYS)
#: Whether a pre-running action applies. Gives a bool.
PRE_RUNNING: Final = _place(_JOB, _CHANGE, _ALWAYS)
#: Whether a post-running action applies. Gives a bool.
POST_RUNNING: Final = _place(_JOB, _CHANGE, _ALWAYS)
#: Whether a job waits for an event at all. Gives a bool.
WAIT_EVENT: Final = _place(_JOB, _ALWAYS)
#: Seconds that a job may or has to run. Gives a number or a duration.
RUNTIME_LIMIT: Final = _place(_JOB, _ALWAYS)
#: Whether a step or a call runs; false means Skipped. Gives a bool.
PRECONDITION: Final = _place(
    _CHAIN,
    #: True until the step or call was Completed once in this chain (shouldRunAgain, domain.md B9).
    {"run_again": "bool"},
    _ALWAYS,
)
#: Whether a status handler of a step applies. Gives a bool.
HANDLER: Final = _place(
    _CHAIN,
    #: The name of the step that has ended.
    {"step": "string"},
    _ALWAYS,
)
