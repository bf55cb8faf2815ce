"""A job that may start is found, whoever was before it in its lane and however that one left."""

from __future__ import annotations

from interlock_server.core import command as c
from interlock_server.core.change import Cause
from interlock_server.core.decide import take_turn
from interlock_server.core.model.definition import Definition
from interlock_server.core.turn import Draft
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import Lifecycle, Status
from interlock_server.core.world import World

REPORT = Definition("report", lifecycle=Lifecycle.REDWOOD)
OTHER = Definition("other", lifecycle=Lifecycle.REDWOOD)


def take(world: World, command: c.Command, actor: Actor = Actor.USER, author: str = "user"):
    return take_turn(world, Draft(), command, Cause(1_000, int(actor), author))


def dispatch(world: World) -> None:
    take(world, c.Dispatch(), Actor.DISPATCHER, "dispatcher")


def connect(world: World, *definitions: str, slots: int = 1) -> None:
    take(world, c.OpenSession("bot", "instance", definitions, slots=slots), Actor.ROBOT, "bot")


def submit(world: World, definition: str = "report") -> int:
    [outcome] = take(world, c.SubmitJobs((c.NewJob(definition),)))
    return int(outcome.job)


def make_world() -> World:
    world = World()
    take(world, c.PutDefinitions((REPORT, OTHER)))
    return world


def test_a_canceled_head_gives_its_place_to_the_job_behind_it() -> None:
    world = make_world()
    connect(world, "report", "other")
    first, head, behind = submit(world, "other"), submit(world), submit(world)
    dispatch(world)  # the only slot is taken
    take(world, c.ChangeJobs(c.Verb.CANCEL, (head,)))

    take(
        world,
        c.Report("bot", 1, 1, (first,), (1,), bytes([c.ReportKind.COMPLETED]), {}),
        Actor.ROBOT,
        "bot",
    )
    dispatch(world)

    assert world.jobs[behind].status == Status.REDWOOD_DISPATCHED


def test_a_job_is_announced_although_an_entry_out_of_date_is_before_it() -> None:
    world = make_world()
    connect(world, "report")
    canceled = submit(world)
    take(world, c.ChangeJobs(c.Verb.CANCEL, (canceled,)))
    world.lanes.dirty.clear()  # as if the pool had been looked at before

    job = submit(world)
    dispatch(world)

    assert world.jobs[job].status == Status.REDWOOD_DISPATCHED
