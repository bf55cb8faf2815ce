"""Lists of jobs and operator messages: live ones from memory, archived ones from disk, merged.

Memory is looked through in slices: a filter that selects little does not hold up the engine.
"""

from __future__ import annotations

import asyncio
from copy import copy
from itertools import islice
from typing import TYPE_CHECKING, Final

from interlock.v1 import job_service_pb2 as pb
from interlock_server.core.kin import is_over
from interlock_server.core.vocabulary.status import IS_FINAL
from interlock_server.rpc import convert_job, convert_message, page, validate
from interlock_server.rpc.convert_filter import JobFilter, job_filter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from interlock_server.core.model.job import Job
    from interlock_server.core.model.medium import Medium
    from interlock_server.core.model.operator_message import OperatorMessage
    from interlock_server.core.world import World
    from interlock_server.partition import Partition

DEFAULT_SIZE: Final = 100
#: Ids that are looked at before others have their turn.
SLICE: Final = 10_000
#: Archived jobs read at once, and how often for one page: labels are not indexed there.
ARCHIVE_SLICE: Final = 1_000
ARCHIVE_SLICES_MAX: Final = 20

_LIVE: Final = {pb.ListScope.LIST_SCOPE_LIVE}
_SCOPES: Final = tuple(pb.ListScope.values())

#: Children that are shown with their parent; a listing shows all.
CHILDREN_MAX: Final = 1_000


def live_children(world: World, job_id: int) -> list[int]:
    """The first of the jobs below a job that are not over."""
    ids = islice(world.children.get(job_id, ()), SLICE)
    return [each for each in ids if not is_over(world.jobs[each].status)][:CHILDREN_MAX]


async def list_jobs(partition: Partition, request: pb.ListJobsRequest) -> pb.ListJobsResponse:
    """A page of jobs, highest id first."""
    selected = job_filter(request.filter)
    scope = validate.choice("scope", request.scope, _SCOPES, "list scope")
    if scope == pb.ListScope.LIST_SCOPE_FINAL:
        selected = selected.only_final()
    size = page.size_of(request.page_size, DEFAULT_SIZE)
    digest = page.digest_of(request)
    before = page.position(request, digest, int) or validate.ID_MAX
    revision = partition.history.head_revision  # before the look: a watch from it misses nothing

    # Memory first: a job that is archived in between is seen twice and never missed.
    found = {job.id: job for job in await _live_jobs(partition, selected, before, size + 1, scope)}
    end_of_archive = 0
    if scope != pb.ListScope.LIST_SCOPE_LIVE and not selected.open_message:
        archived, end_of_archive = await _archived_jobs(partition, selected, before, size + 1)
        found.update((job.id, job) for job in archived)
    # Where reading the archive stopped early, what is below was not looked at.
    ids = sorted((job_id for job_id in found if job_id >= end_of_archive), reverse=True)
    kept = ids[:size]
    last = kept[-1] if len(ids) > size else end_of_archive
    sessions = partition.sessions
    now_ms = partition.now_ms()
    media: dict[int, list[Medium]] = {}
    for each in await partition.media.of_jobs(kept):
        media.setdefault(each.job, []).append(each)
    return pb.ListJobsResponse(
        jobs=[
            convert_job.job(
                found[job_id],
                unresponsive=sessions.is_unresponsive(found[job_id].robot),
                whole=False,
                media=media.get(job_id, ()),
                now_ms=now_ms,
            )
            for job_id in kept
        ],
        next_page_token=page.token(digest, last) if last else "",
        revision=revision,
    )


async def _live_jobs(
    partition: Partition, selected: JobFilter, before: int, limit: int, scope: int
) -> list[Job]:
    """Copies of the newest jobs in memory that a filter selects."""
    ids: Sequence[int] = _candidates(partition.world, selected, before)
    found: list[Job] = []
    start = 0
    while start < len(ids) and len(found) < limit:
        part = ids[start : start + SLICE]
        found += _look(partition.world, part, selected, limit - len(found), scope)
        start += SLICE
        await asyncio.sleep(0)
    # Held until everything that was seen is durable.
    await partition.read(lambda _world: None)
    return found


def _candidates(world: World, selected: JobFilter, before: int) -> Sequence[int]:
    """Ids in which to look, falling."""
    if selected.jobs:
        return sorted((job_id for job_id in selected.jobs if job_id < before), reverse=True)
    if selected.chains:
        families = ((chain, *world.families.get(chain, ())) for chain in selected.chains)
        return sorted({each for family in families for each in family if each < before})[::-1]
    top = min(before, world.next_job) - 1
    if top <= 4 * len(world.jobs):
        return range(top, 0, -1)
    return sorted((job_id for job_id in world.jobs if job_id < before), reverse=True)


def _look(
    world: World, ids: Iterable[int], selected: JobFilter, limit: int, scope: int
) -> list[Job]:
    found: list[Job] = []
    for job_id in ids:
        job = world.jobs.get(job_id)
        if job is None or not job.status or not selected.matches(job):
            continue
        if scope in _LIVE and IS_FINAL[job.status] and job.open_message is None:
            continue
        found.append(copy(job))
        if len(found) == limit:
            break
    return found


async def _archived_jobs(
    partition: Partition, selected: JobFilter, before: int, limit: int
) -> tuple[list[Job], int]:
    """The newest archived jobs that a filter selects, and the id above which all were looked at."""
    if selected.by_status and not selected.statuses:
        return [], 0
    found: list[Job] = []
    for _ in range(ARCHIVE_SLICES_MAX):
        wanted = ARCHIVE_SLICE if selected.labels or selected.chains else limit - len(found)
        part = await partition.archived_jobs(
            before_job=before,
            limit=wanted,
            statuses=sorted(selected.statuses),
            definitions=sorted(selected.definitions),
            queues=sorted(selected.queues),
            robots=sorted(selected.robots),
            jobs=sorted(selected.jobs),
        )
        found += [job for job in part if selected.matches(job)]
        if len(part) < wanted or len(found) >= limit:
            return found[:limit], 0
        if selected.chains and part[-1].id < min(selected.chains):
            return found, 0  # whatever belongs to a chain is younger than it
        before = part[-1].id
    return found, before


async def list_messages(
    partition: Partition, request: pb.ListMessagesRequest
) -> pb.ListMessagesResponse:
    """A page of operator messages, lowest id first."""
    size = page.size_of(request.page_size, DEFAULT_SIZE)
    digest = page.digest_of(request)
    after = page.position(request, digest, int) or 0

    def look(world: World) -> list[OperatorMessage]:
        jobs: Iterable[Job] = (
            world.jobs.values()
            if request.include_closed
            else [world.jobs[job_id] for job_id in dict.fromkeys(world.open_messages.values())]
        )
        return [
            message
            for job in jobs
            for message in job.messages
            if message.id > after and (message.is_open or request.include_closed)
        ]

    found = sorted(await partition.read(look), key=lambda message: message.id)
    more = len(found) > size
    return pb.ListMessagesResponse(
        messages=[convert_message.operator_message(message) for message in found[:size]],
        next_page_token=page.token(digest, found[size - 1].id) if more else "",
    )
