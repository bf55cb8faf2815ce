"""What a site has, as data: chosen by the seed, and written through the commands of the catalog.

A subject adds what its jobs may have as one line of FEATURES, and its objects as one line of
`catalog`. A command that this release does not have is left out by `life.can`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from interlock_server.core import command as c
from interlock_server.core.model.chain import (
    Call,
    Chain,
    HandledStatus,
    HandlerAction,
    StatusHandler,
    Step,
)
from interlock_server.core.model.definition import (
    AutoSubmit,
    Completion,
    Definition,
    EventRaise,
    LimitEffect,
    LimitKind,
    LossPolicy,
    OverduePolicy,
    Parameter,
    RestartAction,
    RestartBehavior,
    Rule,
    RuleEffect,
    RuntimeLimit,
    WaitEvent,
)
from interlock_server.core.model.lock import Lock, LockKind, LockNeed
from interlock_server.core.model.named_event import NamedEvent
from interlock_server.core.model.process_server import ProcessServer, QueueProvider
from interlock_server.core.model.queue import Queue
from interlock_server.core.model.recurrence import Recurrence, RecurrenceKind
from interlock_server.core.model.schedule import Schedule
from interlock_server.core.model.window import TimeWindow, WindowElement, WindowRestriction
from interlock_server.core.vocabulary.status import Lifecycle, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

REDWOOD: Final = int(Lifecycle.REDWOOD)
UIPATH: Final = int(Lifecycle.UIPATH)
MINUTE_MS: Final = 60_000


class Size(NamedTuple):
    """How much of everything."""

    queues: int
    definitions: int
    robots: int
    steps: int
    locks: int = 3
    windows: int = 3
    events: int = 4
    servers: int = 2
    chains: int = 3
    schedules: int = 2
    #: Every so many steps all indexes are compared with a full scan.
    scan_every: int = 25


SMALL: Final = Size(queues=6, definitions=12, robots=5, steps=160)
BIG: Final = Size(
    queues=200,
    definitions=120,
    robots=40,
    steps=3_000,
    locks=100,
    windows=40,
    events=60,
    servers=12,
    chains=30,
    schedules=10,
    scan_every=250,
)


class Site:
    """Names of everything there is, and what it is like."""

    def __init__(self, choose: Random, size: Size, can: Callable[[str], bool]) -> None:
        """Choose a site; `can` says which commands there are."""
        self.size, self.can = size, can
        self.queues = ["default", "System", *(f"queue-{n}" for n in range(size.queues))]
        self.robots = [f"robot-{n}" for n in range(size.robots)]
        self.locks = [f"lock-{n}" for n in range(size.locks)]
        self.windows = [f"window-{n}" for n in range(size.windows)]
        self.events = [f"event-{n}" for n in range(size.events)]
        self.servers = [f"server-{n}" for n in range(size.servers)]
        self.schedules = [f"schedule-{n}" for n in range(size.schedules)]
        #: Queues that servers provide for; only their robots serve these.
        self.served = self.queues[1::2]
        self.definitions = {
            name: self.definition(choose, name)
            for name in (f"definition-{n}" for n in range(size.definitions))
        }

        for number in range(size.chains if can("Chains") else 0):
            name = f"chain-{number}"
            self.definitions[name] = self.chain(choose, name)

    def definition(self, choose: Random, name: str) -> Definition:
        """A definition with some of the features that its lifecycle has."""
        lifecycle = choose.choice([REDWOOD, REDWOOD, REDWOOD, UIPATH])
        fields: dict[str, Any] = {
            "queue": choose.choice(self.queues),
            "priority": choose.choice([20, 45, 50, 50, 80]),
        }
        for feature in FEATURES[lifecycle]:
            if choose.random() < feature.likely and self.can(feature.needs):
                fields |= feature.make(choose, self)
        return Definition(name, lifecycle, **fields)

    def chain(self, choose: Random, name: str) -> Definition:
        """A chain of some steps, whose calls may be chains that were made before it."""
        fields: dict[str, Any] = {"queue": choose.choice(self.queues)}
        for feature in FEATURES[REDWOOD]:
            if feature.of_chains and choose.random() < feature.likely / 2:
                fields |= feature.make(choose, self)
        names = [each.name for each in self.definitions.values() if each.lifecycle == REDWOOD]
        steps = tuple(self._step(choose, place, names) for place in range(choose.randint(1, 3)))
        easy = choose.random() < 0.3
        handlers = () if easy else self._handlers(choose, steps=len(steps))
        chain = Chain(steps, handlers, request_restart=easy)
        return Definition(name, REDWOOD, chain=chain, **fields)

    def _step(self, choose: Random, place: int, names: list[str]) -> Step:
        calls = tuple(
            Call(
                f"call-{number}",
                choose.choice(names),
                precondition=choose.choice(["", "", "true", "run_again", "false"]),
                hold=choose.random() < 0.1,
                disabled=choose.random() < 0.1,
            )
            for number in range(choose.randint(0, 3))
        )
        return Step(
            f"step-{place}",
            calls,
            precondition=choose.choice(["", "", "", "false"]),
            handlers=self._handlers(choose, steps=place + 1),
            restarts_max=choose.randint(1, 3),
            hold=choose.random() < 0.05,
        )

    def _handlers(self, choose: Random, *, steps: int) -> tuple[StatusHandler, ...]:
        handlers = []
        for on in choose.sample(list(HandledStatus), choose.randint(0, 2)):
            action = choose.choice(list(HandlerAction))
            if on in {HandledStatus.COMPLETED, HandledStatus.OTHERWISE}:
                action = HandlerAction.CONTINUE
            restarts = action.name.startswith("RESTART")
            handlers.append(
                StatusHandler(
                    on,
                    action,
                    step=f"step-{steps - 1}" if action is HandlerAction.GO_TO_STEP else "",
                    delay_ms=choose.choice([0, MINUTE_MS]) if restarts else 0,
                    latest=restarts and choose.random() < 0.3,
                )
            )
        return tuple(handlers)

    def queue(self, choose: Random, name: str) -> Queue:
        """A queue; only what the catalog may say about it."""
        return Queue(name, execution_size=choose.choice([0, 0, 1, 2, 5]))

    def server(self, choose: Random, name: str, *, well: bool = False) -> ProcessServer:
        """A server of some queues; a well one serves all that any server serves, and more."""
        queues = (
            self.queues if well else choose.sample(self.served, choose.randint(1, len(self.served)))
        )
        return ProcessServer(
            name,
            providers=tuple(
                QueueProvider(queue)
                if well
                else QueueProvider(
                    queue,
                    execution_size=choose.choice([0, 0, 1, 2]),
                    hold_level=choose.choice([0, 0, 0, 60]),
                )
                for queue in queues
            ),
            resources=("scanner", "licence") if well else tuple(choose.sample(RESOURCES, 1)),
            execution_size=100 if well else choose.choice([2, 100]),
        )

    def window(self, choose: Random, name: str, *, well: bool = False) -> TimeWindow:
        """A window with some hours of each day or week; a well one is open always."""
        elements = []
        for _ in range(choose.choice([0, 1, 1, 1, 2])):
            opens = choose.randrange(23)
            hours = WindowRestriction(
                rule=choose.choice(["", "", "FREQ=WEEKLY;BYDAY=MO,WE,FR"]),
                opens=f"{opens:02}:00",
                closes=f"{choose.randint(opens + 1, 23):02}:30",
            )
            elements.append(WindowElement((hours,)))
        zone = choose.choice(["", "Europe/Amsterdam"])
        return TimeWindow(
            name, time_zone=zone, elements=(WindowElement(),) if well else tuple(elements)
        )

    def catalog(self, choose: Random) -> Iterator[c.Command]:
        """What writes everything but the definitions, where this release can."""
        yield c.PutQueues(tuple(self.queue(choose, name) for name in self.queues[2:]))
        if self.can("PutWindows"):
            yield c.PutWindows(tuple(self.window(choose, name) for name in self.windows))
        if self.can("PutEvents"):
            yield c.PutEvents(tuple(NamedEvent(name) for name in self.events))
        if self.can("PutLocks"):
            yield c.PutLocks(tuple(self.lock(choose, name) for name in self.locks))
        if self.can("PutServers"):
            yield c.PutServers(tuple(self.server(choose, name) for name in self.servers))

    def schedule(self, choose: Random, name: str, start_ms: int) -> Schedule:
        """A recurring submission."""
        every_ms = choose.choice([10, 60, 24 * 60]) * MINUTE_MS
        recurrence = Recurrence(RecurrenceKind.INTERVAL, interval_ms=every_ms, start_ms=start_ms)
        return Schedule(
            name,
            choose.choice(list(self.definitions)),
            recurrence,
            firings_max=choose.choice([0, 3]),
            failures_max=choose.choice([0, 2]),
        )

    def lock(self, choose: Random, name: str) -> Lock:
        """A lock."""
        kind = choose.choice(list(LockKind))
        return Lock(name, kind=kind, counts=1 if kind is LockKind.SIMPLE else choose.randint(1, 3))

    def healed(self, definition: Definition) -> Definition:
        """A definition that makes no new jobs by itself."""
        return msgspec.structs.replace(
            definition,
            auto_submit=AutoSubmit.NEVER,
            event_raises=(),
            restart_behaviors=(),
            on_change=(),
            pre_running=(),
            post_running=(),
        )


class Feature(NamedTuple):
    """Something that a definition may have: how often, and what its fields are then."""

    likely: float
    make: Callable[[Random, Site], dict[str, Any]]
    #: Only where this command exists.
    needs: str = "PutQueues"
    #: Chains may have it too.
    of_chains: bool = False


BANK: Final = Parameter("bank", "string", default_json='"A"')
RESOURCES: Final = ("scanner", "licence")
#: Ends that something may follow.
ENDS: Final = tuple(
    int(status)
    for status in (
        Status.REDWOOD_COMPLETED,
        Status.REDWOOD_ERROR,
        Status.REDWOOD_KILLED,
        Status.REDWOOD_CANCELED,
        Status.REDWOOD_UNKNOWN,
    )
)


def wait_events(choose: Random, site: Site) -> dict[str, Any]:
    """Waits for some events; perhaps a raise submits it."""
    names = choose.sample(site.events, choose.randint(1, 2))
    return {
        "wait_events": tuple(WaitEvent(name, clears=choose.random() < 0.7) for name in names),
        "auto_submit": choose.choice(list(AutoSubmit)),
    }


def event_raises(choose: Random, site: Site) -> dict[str, Any]:
    """Raises or clears an event by its end."""
    statuses = tuple(choose.sample(ENDS, 2))
    event = choose.choice(site.events)
    return {"event_raises": (EventRaise(event, clears=choose.random() < 0.2, statuses=statuses),)}


def restart_behaviors(choose: Random, _: Site) -> dict[str, Any]:
    """Something follows some of its ends."""
    return {
        "restart_behaviors": tuple(
            RestartBehavior(
                status, choose.choice(list(RestartAction)), message=choose.random() < 0.2
            )
            for status in choose.sample(ENDS[1:], 2)
        ),
        "starts_max": 2,
    }


def in_window(choose: Random, site: Site) -> dict[str, Any]:
    """Runs in a window only."""
    return {
        "window": choose.choice(site.windows),
        "min_open_ms": choose.choice([0, 0, 30 * MINUTE_MS]),
        "overdue": choose.choice(list(OverduePolicy)),
        "overdue_event": choose.choice(["", *site.events]),
    }


def acts(choose: Random, _: Site) -> dict[str, Any]:
    """Has rules before and after it runs, and when it changes."""
    when = choose.choice(["job.priority > 60", "job.restarts == 0", "true", "job.id % 3 == 0"])
    late = choose.choice([MINUTE_MS, 60 * MINUTE_MS])
    before = [RuleEffect.HOLD, RuleEffect.CANCEL, RuleEffect.FAIL, RuleEffect.RESCHEDULE]
    rules = {
        "on_change": Rule(
            f"new_status == 'Scheduled' && {when}", choose.choice(before), delay_ms=late
        ),
        "pre_running": Rule(when, choose.choice(before), delay_ms=late),
        "post_running": Rule(when, choose.choice([RuleEffect.COMPLETE, RuleEffect.FAIL])),
    }
    # A delay belongs to a new start only.
    return {
        place: (
            rule
            if rule.effect is RuleEffect.RESCHEDULE
            else msgspec.structs.replace(rule, delay_ms=0),
        )
        for place, rule in rules.items()
        if choose.random() < 0.5
    }


def limits(choose: Random, _: Site) -> dict[str, Any]:
    """Has a limit on how long it runs."""
    effect = choose.choice([LimitEffect.KILL, LimitEffect.ERROR])
    length_ms = choose.choice([MINUTE_MS, 60 * MINUTE_MS])
    limit = RuntimeLimit(LimitKind.MAXIMUM, duration_ms=length_ms, effect=effect)
    return {"runtime_limits": (limit,)}


def lock_needs(choose: Random, site: Site) -> dict[str, Any]:
    """Needs one or two locks."""
    names = choose.sample(site.locks, choose.randint(1, 2))
    return {"locks": tuple(LockNeed(name) for name in sorted(names))}


FEATURES: Final[dict[int, list[Feature]]] = {
    REDWOOD: [
        Feature(0.1, lambda _, __: {"hold_on_submit": True}, of_chains=True),
        Feature(0.2, lambda _, __: {"message_on_failure": True}, of_chains=True),
        Feature(0.2, lambda _, __: {"return_code_map": "0,4-8"}),
        Feature(0.2, lambda _, __: {"uncertain_timeout_ms": 5_000}),
        Feature(0.1, lambda _, __: {"completion": Completion.EXTERNAL}),
        Feature(0.2, lambda _, __: {"parameters": (BANK,)}),
        Feature(0.3, wait_events, "PutEvents", of_chains=True),
        Feature(0.2, event_raises, "PutEvents", of_chains=True),
        Feature(0.3, lock_needs, "PutLocks"),
        Feature(0.3, in_window, "PutWindows"),
        Feature(0.2, acts, "EditJob"),
        Feature(0.2, limits, "EditJob"),
        Feature(0.3, restart_behaviors, "PutRestartDefaults", of_chains=True),
        Feature(0.1, lambda choose, _: {"resources": (choose.choice(RESOURCES),)}, "PutServers"),
        Feature(0.1, lambda choose, site: {"server": choose.choice(site.servers)}, "PutServers"),
    ],
    UIPATH: [
        Feature(0.3, lambda _, __: {"foreground": True}),
        Feature(0.5, lambda choose, _: {"on_robot_loss": choose.choice(list(LossPolicy))}),
    ],
}
