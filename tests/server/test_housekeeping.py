"""Retention: what keep rules give up is deleted, with what belongs to it, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from interlock_server import housekeeping
from interlock_server.core import command as c
from interlock_server.core.command import NewJob, ReportKind, SubmitJobs, Verb
from interlock_server.core.model.chain import Call, Chain, Step
from interlock_server.core.model.definition import Keep, Recording
from interlock_server.core.model.job import Job
from interlock_server.core.model.job_part import Kinship
from interlock_server.core.vocabulary.status import Lifecycle, Status
from interlock_server.housekeeping import kept_job
from interlock_server.storage.port import KeptJob
from tests.server.test_media import FILM, parts, recording
from tests.support.core_driver import REDWOOD
from tests.support.live_partition import LivePartition

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

K = ReportKind
DAY_MS = 24 * 3_600_000


@pytest.fixture
async def live(tmp_path) -> AsyncIterator[LivePartition]:
    partition = await LivePartition.start(media=tmp_path / "media")
    yield partition
    await partition.check_recovery()
    await partition.close()


async def define(
    live: LivePartition, keep: Keep | None, name: str = REDWOOD, **fields: Any
) -> None:
    await live.define(name, Lifecycle.REDWOOD, keep=keep, **fields)


async def canceled(live: LivePartition, count: int = 1, definition: str = REDWOOD) -> list[int]:
    """Jobs that ended, one every minute."""
    jobs = []
    for _ in range(count):
        jobs.append(await live.submit(definition, hold=True))
        await live.verb(Verb.CANCEL, jobs[-1])
        live.clock.advance(s=60)
    return jobs


async def kept(live: LivePartition) -> list[int]:
    """Jobs that are left after a pass."""
    await live.partition.housekeeping.pass_now()
    found = await live.partition.archived_jobs(before_job=1 << 60, limit=10_000)
    return sorted(job.id for job in found)


async def test_without_a_rule_jobs_stay_for_ever(live):
    await define(live, None)
    jobs = await canceled(live, 2)

    await live.later(hours=24 * 365)

    assert await kept(live) == jobs


async def test_the_newest_jobs_of_each_definition_stay(live):
    await define(live, Keep(count=2))
    await define(live, Keep(count=1), "other")
    jobs = await canceled(live, 4)
    others = await canceled(live, 2, "other")

    assert await kept(live) == [*jobs[2:], *others[1:]]


async def test_the_newest_are_those_that_ended_last(live):
    await define(live, Keep(count=1))
    first = await live.submit(hold=True)
    second = await live.submit(hold=True)
    await live.verb(Verb.CANCEL, second)
    live.clock.advance(s=1)
    await live.verb(Verb.CANCEL, first)

    assert await kept(live) == [first]


async def test_jobs_stay_for_their_age(live):
    await define(live, Keep(age_ms=DAY_MS))
    jobs = await canceled(live, 2)

    await live.later(hours=24, minutes=-1.5)
    assert await kept(live) == jobs[1:]

    await live.later(minutes=1)
    assert await kept(live) == []


async def test_with_two_limits_a_job_goes_when_both_say_so(live):
    await define(live, Keep(count=1, age_ms=DAY_MS))
    jobs = await canceled(live, 3)

    assert await kept(live) == jobs
    await live.later(hours=48)
    assert await kept(live) == jobs[2:]


async def test_only_jobs_of_the_named_statuses_are_deleted(live):
    await define(live, Keep(count=1, statuses=(Status.REDWOOD_CANCELED,)))
    robot = await live.connect()
    done = [await live.submit() for _ in range(2)]
    await robot.report(K.COMPLETED, *done)
    jobs = await canceled(live, 3)

    assert await kept(live) == [*done, jobs[2]]


async def test_a_changed_rule_is_about_jobs_that_end_after_it(live):
    await define(live, None)
    before = await canceled(live, 2)
    await define(live, Keep(count=3))
    jobs = await canceled(live, 3)
    await define(live, Keep(count=1))

    assert await kept(live) == [*before, *jobs]
    (last,) = await canceled(live)
    assert await kept(live) == [*before, *jobs[1:], last]


async def test_the_server_has_a_rule_for_definitions_that_have_none(live, tmp_path):
    live = await LivePartition.start(media=tmp_path, keep_count=1, keep_age_hours=1)
    await define(live, None)
    await define(live, Keep(), "for-ever")
    await canceled(live, 2)
    always = await canceled(live, 2, "for-ever")
    (last,) = await canceled(live)

    await live.later(hours=2)

    assert await kept(live) == [*always, last]
    await live.close()


async def test_jobs_with_an_open_message_and_live_ones_stay(live):
    await define(live, Keep(age_ms=1), message_on_failure=True)
    robot = await live.connect()
    failed, running = await live.submit(), await live.submit()
    await robot.report(K.STARTED, failed, running)
    await robot.report(K.FAILED, failed)
    await live.later(hours=48)

    await live.partition.housekeeping.pass_now()

    (message,) = (await live.job(failed)).messages
    await live.job(running)
    await live.do(c.Reply(message.id, "seen"))
    await live.settle()
    assert await kept(live) == []


async def test_children_go_with_the_job_at_the_top_unless_their_rule_says_otherwise(live):
    await define(live, Keep(age_ms=DAY_MS))
    await define(live, Keep(age_ms=1), "child")
    await define(live, Keep(age_ms=1, force=True), "forced")
    jobs = [
        Job(n, 2, "x", 1, "default", 50, 0, 0, 0, ended_ms=7, kinship=Kinship(top=1))
        for n in (1, 2)
    ]
    assert kept_job(jobs[0], Keep(age_ms=5)) == KeptJob(1, "x", 7, top=1)
    assert kept_job(jobs[0], None) == KeptJob(1, "x", 7, top=1)
    assert kept_job(jobs[1], Keep(age_ms=5, force=True)) == KeptJob(2, "x", 7, expire_ms=12)

    (top,) = await canceled(live)
    (child,) = await canceled(live, definition="child")
    (forced,) = await canceled(live, definition="forced")
    live.journal.kept[child] = KeptJob(child, "child", 7, top=top)

    assert await kept(live) == [top, child]
    assert forced not in await kept(live)
    await live.later(hours=25)
    assert await kept(live) == []


async def test_a_chain_goes_with_its_steps_and_calls_and_their_recordings(live):
    await define(live, Keep(age_ms=1), "call", recording=Recording.FAILED)
    steps = (Step("load", (Call("one", "call"), Call("two", "call"))),)
    await define(live, Keep(age_ms=DAY_MS), "nightly", chain=Chain(steps))
    robot = await live.connect("robot-1", "call")
    chain = await live.submit("nightly")
    await robot.hear()
    one, two = sorted(robot.offers)
    await robot.report(K.STARTED, one, two)
    await robot.report(K.FAILED, one)
    # Final, and in memory until the chain is over.
    await live.partition.media.upload(recording(one), parts())
    await live.partition.housekeeping.pass_now()
    assert [each.name for each in await live.partition.media.of_jobs([one])] == ["screen"]
    await robot.report(K.COMPLETED, two)

    family = await kept(live)
    assert {chain, one, two} < set(family)

    await live.later(hours=25)
    assert await kept(live) == []
    assert live.partition.media.files.count == 0


async def test_a_family_that_is_not_over_keeps_its_top(live):
    await define(live, Keep(age_ms=1))
    (top,) = await canceled(live)
    live.partition.world.families[top] = {99: None}

    assert await kept(live) == [top]
    del live.partition.world.families[top]
    assert await kept(live) == []


async def test_passes_are_sliced_and_a_pass_that_was_cut_off_is_gone_on_with(live, monkeypatch):
    monkeypatch.setattr(housekeeping, "SLICE_JOBS", 2)
    monkeypatch.setattr(housekeeping, "_LOOK_JOBS", 3)
    await define(live, Keep(count=2))
    await define(live, Keep(age_ms=1), "old")
    await live.do(
        SubmitJobs((NewJob(REDWOOD, count=9, hold=True), NewJob("old", count=7, hold=True)))
    )
    await live.do(c.ChangeJobs(Verb.CANCEL, tuple(range(1, 17))))
    await live.later(hours=1)
    broken = live.journal
    broken.fail("the disk is broken")
    broken_pass = live.partition.housekeeping.pass_now()
    with pytest.raises(Exception, match="broken"):
        await broken_pass
    broken._failure = ""

    assert await kept(live) == [8, 9]
    assert live.partition.housekeeping.deleted_jobs == 14


async def test_media_go_with_their_job(live):
    await define(live, Keep(age_ms=DAY_MS), recording=Recording.ALL)
    robot = await live.connect()
    job = await live.submit()
    await robot.report(K.STARTED, job)
    await robot.report(K.COMPLETED, job)
    await live.partition.media.upload(recording(job), parts())
    assert live.partition.media.files.used_bytes == len(FILM)

    await live.later(hours=24)
    await live.partition.housekeeping.pass_now()

    assert await live.partition.job(job) is None
    assert await live.partition.media.of_jobs([job]) == []
    assert live.partition.media.files.used_bytes == 0


async def test_passes_are_at_whole_multiples_of_the_period_whenever_the_server_starts(live):
    await define(live, Keep(age_ms=1))
    await canceled(live)
    live.clock.advance(s=600)
    await live.partition.housekeeping.pass_due()
    assert live.partition.housekeeping.deleted_jobs == 0  # the pass of this period was at the start

    live.clock.advance(s=300)
    await live.partition.housekeeping.pass_due()
    assert live.partition.housekeeping.deleted_jobs == 1


async def test_all_executions_of_the_same_work_are_found_from_each(live):
    await live.define_both()
    (first,) = await canceled(live)
    second = await live.restart_job(first, hold=True)
    await live.verb(Verb.CANCEL, second)
    third = await live.restart_job(second, hold=True)

    for each in (first, second, third):
        found = await live.partition.executions(await live.job(each))
        assert [job.id for job in found] == [first, second, third]

    await live.kill()
    found = await live.partition.executions(await live.job(first))
    assert [job.status for job in found] == [35, 35, int(Status.REDWOOD_HELD)]
    await live.journal.delete_archived([second])
    left = [job.id for job in await live.partition.executions(await live.job(third))]
    assert left[-1] == third
    assert second not in left
