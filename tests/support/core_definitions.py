"""The definitions of random lives: everything that a definition can say, at least once."""

from __future__ import annotations

from typing import Final

import msgspec

from interlock_server.core.model.definition import (
    AutoSubmit,
    Completion,
    Definition,
    EventRaise,
    LimitBasis,
    LimitEffect,
    LimitKind,
    LossPolicy,
    Parameter,
    RestartAction,
    RestartBehavior,
    Rule,
    RuleEffect,
    RuntimeLimit,
    WaitEvent,
)
from interlock_server.core.model.lock import LockNeed
from interlock_server.core.vocabulary.status import Lifecycle, Status

S = Status
REDWOOD, UIPATH = int(Lifecycle.REDWOOD), int(Lifecycle.UIPATH)

DEFINITIONS: Final = (
    Definition("rw", REDWOOD),
    Definition("rw-external", REDWOOD, completion=Completion.EXTERNAL, queue="night"),
    Definition(
        "rw-mapped",
        REDWOOD,
        return_code_map="0,4-8",
        message_on_failure=True,
        uncertain_timeout_ms=5_000,
        parameters=(Parameter("bank", "string", default_json='"A"'),),
    ),
    Definition("rw-held", REDWOOD, hold_on_submit=True, priority=80),
    Definition(
        "rw-waits",
        REDWOOD,
        wait_events=(
            WaitEvent("FILE", clears=True),
            WaitEvent("BOOK", condition="job.id % 2 == 0"),
        ),
        auto_submit=AutoSubmit.ONLY_ONE,
        locks=(LockNeed("ledger"), LockNeed("data", 2)),
    ),
    Definition(
        "rw-raises",
        REDWOOD,
        event_raises=(
            EventRaise("FILE", statuses=(int(S.REDWOOD_COMPLETED), int(S.REDWOOD_ERROR))),
            EventRaise("BOOK", clears=True, statuses=(int(S.REDWOOD_RUNNING),)),
        ),
        locks=(LockNeed("data", exclusive=True),),
        queue="night",
    ),
    Definition(
        "rw-acts",
        REDWOOD,
        on_change=(
            Rule("job.priority == 90 && new_status == 'Queued'", RuleEffect.HOLD),
            Rule("job.priority == 10 && new_status == 'New'", RuleEffect.RESCHEDULE, 60_000),
            Rule("job.parameters.bank > 1", RuleEffect.CANCEL),
        ),
        pre_running=(
            Rule("job.id % 5 == 1 && job.restarts == 0", RuleEffect.HOLD),
            Rule("job.id % 5 == 2 && job.queue == 'default'", RuleEffect.MOVE, target="night"),
            Rule("job.id % 5 == 3", RuleEffect.RAISE_EVENT, target="BOOK"),
        ),
        post_running=(Rule("job.return_code == 4", RuleEffect.COMPLETE),),
        pre_running_code=True,
        post_running_code=True,
        parameters=(Parameter("bank", default_json="1"),),
        runtime_limits=(
            RuntimeLimit(
                LimitKind.MAXIMUM, duration_ms=300_000, event="BOOK", effect=LimitEffect.KILL
            ),
        ),
        restart_behaviors=tuple(
            RestartBehavior(int(status), RestartAction.REQUEST_RESTART)
            for status in (S.REDWOOD_ERROR, S.REDWOOD_KILLED, S.REDWOOD_UNKNOWN)
        ),
    ),
    Definition(
        "rw-restarts",
        REDWOOD,
        completion=Completion.EXTERNAL_WAIT_FOR_CHILDREN,
        post_running=(Rule("job.return_code == 9", RuleEffect.FAIL),),
        runtime_limits=(
            RuntimeLimit(
                LimitKind.MAXIMUM,
                LimitBasis.ESTIMATE_PERCENT,
                percent=150,
                effect=LimitEffect.ERROR,
            ),
        ),
        restart_behaviors=(
            RestartBehavior(int(S.REDWOOD_ERROR), RestartAction.RESTART, delay_ms=60_000),
            RestartBehavior(int(S.REDWOOD_CANCELED), RestartAction.STOP, message=True),
        ),
        starts_max=2,
    ),
    Definition("ui", UIPATH),
    Definition("ui-screen", UIPATH, foreground=True, on_robot_loss=LossPolicy.FAULT),
    Definition("ui-rerun", UIPATH, on_robot_loss=LossPolicy.RERUN, queue="night"),
)
#: Without rules that hold a job again and again, so that every one can end.
HEALED: Final = tuple(
    msgspec.structs.replace(each, on_change=(), pre_running=()) for each in DEFINITIONS
)
