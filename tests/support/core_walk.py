"""Long random lives of a World from a seed, made of the steps of the machine.

Hypothesis finds the shortest life that goes wrong; a walk goes far into the statuses. A failure
says its seed and the last steps, which is enough to see it again.
"""

from __future__ import annotations

from collections import deque
from random import Random
from typing import TYPE_CHECKING, Any

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind
from interlock_server.core.model.job import StopStrategy
from tests.support.core_machine import FAR_MS, NAMES, QUEUES, ROBOTS, CoreMachine
from tests.support.manual_clock import START_MS

if TYPE_CHECKING:
    from collections.abc import Callable

#: Kinds of reports, as often as they should be tried.
KINDS = (
    *[ReportKind.STARTED] * 6,
    *[ReportKind.ACCEPTED, ReportKind.PRE_RUNNING_DONE, ReportKind.POST_RUNNING_DONE] * 2,
    *[ReportKind.ASKED, ReportKind.SUSPENDED, ReportKind.WAITING, ReportKind.COMPLETED] * 2,
    *ReportKind,
)
WRONG = (*[""] * 20, "fence", "robot", "epoch", "gap", "again")
ENDINGS = ((0, 0), (0, 0), (60_000, 0), (60_000, 60_000), (0, 300_000))


def walk(seed: int, steps: int) -> CoreMachine:
    """Live one life; what it was is in the machine."""
    choose = Random(seed)
    machine = CoreMachine()
    machine.catalog()
    recent: deque[str] = deque(maxlen=20)
    names = [name for name, count in WEIGHTS.items() for _ in range(count)]
    try:
        for _ in range(steps):
            name = choose.choice(names)
            arguments = _ARGUMENTS.get(name, lambda _: {})(choose)
            recent.append(f"{name}({arguments})")
            if name == "repeat_report" and machine.last_report is None:
                continue
            if name == "report" and not any(machine.core.world.robot_jobs.values()):
                continue
            if name == "begin_snapshot" and machine.rows is not None:
                continue
            getattr(machine, name)(**arguments)
            machine.whole()
        recent.append("the end")
        machine.teardown()
    except Exception as error:
        told = "\n".join(recent)
        raise AssertionError(f"seed {seed}, the last steps:\n{told}") from error
    return machine


WEIGHTS = {
    "submit": 8,
    "report": 30,
    "verb": 7,
    "edit": 2,
    "restart": 2,
    "open_session": 2,
    "end_session": 2,
    "repeat_report": 1,
    "start_at_robot": 1,
    "hold_queue": 2,
    "administer": 3,
    "reply": 5,
    "time_passes": 5,
    "recover": 1,
    "end_group": 10,
    "begin_snapshot": 1,
}


def _place(choose: Random) -> int:
    return choose.randrange(13)


def _right(choose: Random) -> bool:
    return choose.random() < 0.9


_ARGUMENTS: dict[str, Callable[[Random], dict[str, Any]]] = {
    "submit": lambda choose: {
        "name": choose.choice(NAMES),
        "count": choose.randint(1, 3),
        "priority": choose.choice([0, 10, 50, 90]),
        "robot": choose.choice(["", "", "", *ROBOTS]),
        "start": choose.choice([*[0] * 6, START_MS + 600_000, FAR_MS]),
        "ending": choose.choice(ENDINGS),
        "hold": choose.random() < 0.1,
        "odd": choose.random() < 0.1,
        "waits": choose.random() < 0.5,
    },
    "report": lambda choose: {
        "kinds": choose.choices(KINDS, k=choose.randint(1, 3)),
        "place": _place(choose),
        "code": choose.choice([0, 0, 4, 9]),
        "wrong": choose.choice(WRONG),
    },
    "verb": lambda choose: {
        "place": _place(choose),
        "choice": _place(choose),
        "right": _right(choose),
        "failed": choose.random() < 0.5,
    },
    "edit": lambda choose: {
        "place": _place(choose),
        "choice": _place(choose),
        "right": _right(choose),
    },
    "restart": lambda choose: {"place": _place(choose), "hold": choose.random() < 0.2},
    "open_session": lambda choose: {
        "robot": choose.choice(ROBOTS),
        "names": choose.sample(NAMES, choose.choice([0, 0, 3])),
        "keeps": choose.random() < 0.8,
    },
    "end_session": lambda choose: {
        "robot": choose.choice(ROBOTS),
        "what": choose.choice([c.BreakSession, c.LoseSession, c.CloseSession, c.DrainSession]),
        "right": _right(choose),
    },
    "start_at_robot": lambda choose: {
        "robot": choose.choice(ROBOTS),
        "name": choose.choice(NAMES),
    },
    "hold_queue": lambda choose: {
        "queue": choose.choice(QUEUES),
        "hold": choose.random() < 0.4,
    },
    "administer": lambda choose: {
        "robot": choose.choice(ROBOTS),
        "name": choose.choice(NAMES),
        "size": choose.randint(0, 3),
        "strategy": choose.choice(list(StopStrategy)),
        "what": choose.randrange(6),
    },
    "reply": lambda choose: {
        "place": _place(choose),
        "text": choose.choice(["yes", "yes", "yes", "no", " ", "maybe"]),
    },
    "time_passes": lambda choose: {"minutes": choose.choice([0, 0, 0, 1, 5, 60, 1440])},
    "end_group": lambda choose: {"moves": choose.randint(1, 4), "jobs": choose.randint(1, 4)},
}
