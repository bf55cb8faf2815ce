"""Reasons why no robot takes a job: what each robot lacks, nearest miss first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock_server.core.explain.reason import Reason, ReasonKind
from interlock_server.core.gate import Closed
from interlock_server.core.lane import bound_robot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interlock_server.core.explain.sight import Sight
    from interlock_server.core.model.job import Job
    from interlock_server.core.model.robot import Robot

    #: How near it is, the robot, and what it misses.
    Found = tuple[tuple[int, int], Robot, list[Reason]]

#: Robots that are named; the others are counted.
NAMED_MAX: Final = 10


def of_job(sight: Sight, job: Job) -> list[Reason]:
    """Why no robot takes the job; nothing if one could."""
    bound = bound_robot(job)
    found: list[Found] = []
    for robot in sight.world.robots.values():
        misses = list(_misses(sight, job, robot))
        if not misses:
            return []
        # Who can do the work and only has no place now is nearer than who never could.
        never = sum(each.kind is ReasonKind.ROBOT and each.until_ms < 0 for each in misses)
        found.append(((never, len(misses)), robot, misses))
    found.sort(key=lambda each: (each[0], each[1].name))
    for _, _, misses in found:
        for each in misses:
            each.until_ms = max(each.until_ms, 0)
    return [
        Reason(
            kind=ReasonKind.NO_ROBOT,
            sentence=_sentence(sight, bound, found),
            object=bound,
            reasons=tuple(
                Reason(
                    kind=ReasonKind.ROBOT,
                    sentence=f"robot {robot.name}: " + "; ".join(each.sentence for each in misses),
                    object=robot.name,
                    since_ms=sight.silent_since_ms(robot.name) if robot.connected else 0,
                    reasons=tuple(each for each in misses if each.kind is not ReasonKind.ROBOT),
                )
                for _, robot, misses in found[:NAMED_MAX]
            ),
        )
    ]


def _sentence(sight: Sight, bound: str, found: list[Found]) -> str:
    if bound and bound not in sight.world.robots:
        return f"it is bound to robot {bound}, which has never connected"
    if not found:
        return "no robot has ever connected"
    best, robot, misses = found[0]
    if best[0]:
        return f"none of {len(found):,} robots can run it; nearest is {robot.name}: " + "; ".join(
            each.sentence for each in misses
        )
    able = sum(key[0] == 0 for key, _, _ in found)
    return f"none of the {able:,} robots that can run it has a place for it now"


def _misses(sight: Sight, job: Job, robot: Robot) -> Iterator[Reason]:
    yield from _inability(sight, job, robot)
    yield from _occupation(sight, job, robot)
    if robot.server:
        yield from _server(sight, job, robot)


def _never(sentence: str, name: str) -> Reason:
    """What waiting does not change; marked until the nearest robots are found."""
    return Reason(kind=ReasonKind.ROBOT, sentence=sentence, object=name, until_ms=-1)


def _inability(sight: Sight, job: Job, robot: Robot) -> Iterator[Reason]:
    world = sight.world
    bound = bound_robot(job)
    definition = world.definitions.get(job.definition)
    if bound and robot.name != bound:
        yield _never(f"the job is bound to robot {bound}", robot.name)
    if job.definition not in robot.definitions:
        yield _never(f"does not run {job.definition}", robot.name)
    if robot.queues and job.queue not in robot.queues:
        yield _never(f"does not serve queue {job.queue}", robot.name)
    server = job.server or (definition.server if definition else "")
    if server and robot.server != server:
        yield _never(f"is not of server {server}", robot.name)
    needed = frozenset(definition.resources if definition else ())
    own = world.servers.get(robot.server)
    offered = frozenset(robot.resources) | frozenset(own.resources if own else ())
    if lacking := sorted(needed - offered):
        yield _never(f"does not offer {', '.join(lacking)}", robot.name)


def _occupation(sight: Sight, job: Job, robot: Robot) -> Iterator[Reason]:
    world = sight.world
    definition = world.definitions.get(job.definition)
    if not robot.connected:
        yield Reason(kind=ReasonKind.ROBOT, sentence="is not connected", object=robot.name)
    elif robot.maintenance:
        yield Reason(kind=ReasonKind.ROBOT, sentence="is in maintenance", object=robot.name)
    elif robot.draining:
        yield Reason(kind=ReasonKind.ROBOT, sentence="takes no more jobs", object=robot.name)
    elif world.free_slots(robot) <= 0:
        yield Reason(
            kind=ReasonKind.ROBOT,
            sentence=f"has all its {robot.slots} slots taken",
            object=robot.name,
            jobs=tuple(sorted(world.robot_jobs.get(robot.name, ()))[:20]),
        )
    elif definition is not None and definition.foreground and robot.name in world.foreground:
        running = world.foreground[robot.name]
        yield Reason(
            kind=ReasonKind.ROBOT,
            sentence=f"runs the foreground job {running}",
            object=robot.name,
            jobs=(running,),
        )


_SERVER: Final = {
    Closed.SERVER_MISSING: "has not been put",
    Closed.SERVER_STOPPED: "is stopped",
    Closed.SERVER_FULL: "has as many jobs as its execution size allows",
    Closed.NO_PROVIDER: "does not serve queue {queue}",
    Closed.PROVIDER_HELD: "is held for queue {queue}",
    Closed.PROVIDER_WINDOW: "has a closed time window for queue {queue}",
    Closed.PROVIDER_FULL: "has as many jobs of queue {queue} as it may",
    Closed.HOLD_LEVEL: "takes only higher priorities from queue {queue}",
}


def _server(sight: Sight, job: Job, robot: Robot) -> Iterator[Reason]:
    world, name = sight.world, robot.server
    closed = world.server_gate(name) or world.provider_gate(name, job.queue, job.priority)
    if closed is None:
        return
    server = world.servers.get(name)
    provider = world.providers.get(job.queue, {}).get(name)
    by = ""
    if server is not None and closed is Closed.SERVER_STOPPED:
        by = server.stopped_by
    elif provider is not None and closed is Closed.PROVIDER_HELD:
        by = provider.held_by
    yield Reason(
        kind=ReasonKind.SERVER,
        sentence=f"server {name} {_SERVER[closed].format(queue=job.queue)}",
        object=name,
        by=by,
        until_ms=server.changes_ms if server and closed is Closed.PROVIDER_WINDOW else 0,
    )
