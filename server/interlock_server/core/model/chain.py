"""A chain definition: steps one after another, the calls of a step together (domain.md B9)."""

from __future__ import annotations

from enum import IntEnum

import msgspec


class HandlerAction(IntEnum):
    """What a status handler does with its chain (R17, R18)."""

    #: Nothing: what would happen without a handler.
    NONE = 1
    #: Go on with the next step.
    CONTINUE = 2
    #: Ask an operator.
    REQUEST_RESTART = 3
    #: Go on with the step it names.
    GO_TO_STEP = 4
    #: End the chain as Error.
    END_ERROR = 5
    #: End the chain as Completed; the step stays Error.
    END_COMPLETED = 6
    #: Run the whole step again.
    RESTART_STEP = 7
    #: Run those calls again that did not complete.
    RESTART_FAILED = 8
    #: Run the whole chain again, as a new job.
    RESTART_CHAIN = 9


class HandledStatus(IntEnum):
    """When a handler fires."""

    #: All calls Completed, Skipped, Ignored or Disabled.
    COMPLETED = 1
    #: At least one call Canceled.
    CANCELED = 2
    #: At least one call Error.
    ERROR = 3
    #: At least one call Killed.
    KILLED = 4
    #: At least one call Unknown.
    UNKNOWN = 5
    #: Nothing else fired.
    OTHERWISE = 6


class StatusHandler(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One handler. At most one fires per iteration of a step; those of the step come first."""

    on: HandledStatus
    action: HandlerAction
    #: GO_TO_STEP: where to.
    step: str = ""
    #: Restarts wait for so long.
    delay_ms: int = 0
    #: A restart takes the definitions as they are now, not as they were when the chain started.
    latest: bool = False
    #: Fires only if this expression is true; "" always.
    condition: str = ""


class Call(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One job of a step, which may be a chain itself; empty and 0 mean the definition's value."""

    name: str
    definition: str
    parameters: str = "{}"
    queue: str = ""
    priority: int = 0
    #: False makes it Skipped; "" always runs.
    precondition: str = ""
    hold: bool = False
    #: Not run: Ignored when the chain is submitted.
    disabled: bool = False


class Step(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The calls that start together when the step before has ended."""

    name: str
    calls: tuple[Call, ...] = ()
    precondition: str = ""
    handlers: tuple[StatusHandler, ...] = ()
    #: Runs of the step in all, the first one counted (RA-19); 0 for no limit of its own.
    restarts_max: int = 0
    hold: bool = False


class Chain(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a definition of a chain consists of."""

    steps: tuple[Step, ...]
    #: Used where a step has none for what happened.
    handlers: tuple[StatusHandler, ...] = ()
    #: Error, Canceled, Killed and Unknown all ask an operator ("easy restart"); then the chain has
    #: no handlers of its own.
    request_restart: bool = False
