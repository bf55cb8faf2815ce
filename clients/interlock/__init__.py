"""Interlock for Python programs: `connect` to a server, or be a `Robot` that runs its jobs.

Public names are loaded on first use. So `interlock.v1`, the generated messages that the server
shares, can be imported without the rest.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from interlock.action import JobHandler as JobHandler
    from interlock.action import PostRun as PostRun
    from interlock.action import PreRun as PreRun
    from interlock.change import Change as Change
    from interlock.client import Interlock as Interlock
    from interlock.client import connect as connect
    from interlock.definition import Definition as Definition
    from interlock.definition import Parameter as Parameter
    from interlock.errors import AlreadyFinal as AlreadyFinal
    from interlock.errors import Compacted as Compacted
    from interlock.errors import ConnectionClosed as ConnectionClosed
    from interlock.errors import HistoryChanged as HistoryChanged
    from interlock.errors import IllegalTransition as IllegalTransition
    from interlock.errors import Indeterminate as Indeterminate
    from interlock.errors import InterlockError as InterlockError
    from interlock.errors import InvalidArgument as InvalidArgument
    from interlock.errors import NotFound as NotFound
    from interlock.errors import Overloaded as Overloaded
    from interlock.errors import Refused as Refused
    from interlock.errors import RevisionMismatch as RevisionMismatch
    from interlock.errors import ServerError as ServerError
    from interlock.errors import SessionSuperseded as SessionSuperseded
    from interlock.errors import Unavailable as Unavailable
    from interlock.job import HistoryEntry as HistoryEntry
    from interlock.job import Job as Job
    from interlock.job import JobHandle as JobHandle
    from interlock.job import Outcome as Outcome
    from interlock.robot import Robot as Robot
    from interlock.run import Run as Run
    from interlock.run import SyncRun as SyncRun
    from interlock.status import StatusName as StatusName
    from interlock.watch import Watch as Watch

_MODULE_OF: Final = {
    "JobHandler": "action",
    "PostRun": "action",
    "PreRun": "action",
    "Change": "change",
    "Interlock": "client",
    "connect": "client",
    "Definition": "definition",
    "Parameter": "definition",
    **dict.fromkeys(
        (
            "AlreadyFinal",
            "Compacted",
            "ConnectionClosed",
            "HistoryChanged",
            "IllegalTransition",
            "Indeterminate",
            "InterlockError",
            "InvalidArgument",
            "NotFound",
            "Overloaded",
            "Refused",
            "RevisionMismatch",
            "ServerError",
            "SessionSuperseded",
            "Unavailable",
        ),
        "errors",
    ),
    "HistoryEntry": "job",
    "Job": "job",
    "JobHandle": "job",
    "Outcome": "job",
    "Robot": "robot",
    "Run": "run",
    "SyncRun": "run",
    "StatusName": "status",
    "Watch": "watch",
}

__all__ = sorted(_MODULE_OF)  # noqa: PLE0605 - one list of names, not two


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF})
