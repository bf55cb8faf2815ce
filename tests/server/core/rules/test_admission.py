"""The gates run once for all jobs that a command has brought to them (domain.md B3)."""

from __future__ import annotations

from interlock_server.core import command as c
from interlock_server.core.command import Verb
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import STATUS_NAME
from tests.support.core_driver import CoreDriver

COUNT = 50


def names(driver: CoreDriver) -> set[str]:
    return {STATUS_NAME[job.status] for job in driver.world.jobs.values()}


def test_what_follows_for_many_released_jobs_is_one_block_of_changes():
    driver = CoreDriver().with_both()
    jobs = tuple(driver.submit(hold=True).id for _ in range(COUNT))

    outcomes = driver.accepted(c.ChangeJobs(Verb.RELEASE, jobs))

    assert [STATUS_NAME[each.status] for each in outcomes] == ["Queued"] * COUNT
    assert [each.revision for each in outcomes] == [driver.world.jobs[job].revision for job in jobs]
    released, queued = driver.drafts[-1].blocks
    assert (released.cause.actor, queued.cause.actor) == (Actor.USER, Actor.DISPATCHER)
    assert tuple(released.jobs) == tuple(queued.jobs) == jobs
    driver.check_replay()


def test_what_follows_for_many_jobs_that_came_due_is_one_block_of_changes():
    driver = CoreDriver().with_both()
    for _ in range(COUNT):
        driver.submit(start_ms=driver.now_ms + 1_000)

    before = len(driver.drafts)
    driver.later(s=1)

    assert names(driver) == {"Queued"}
    assert [len(block) for draft in driver.drafts[before:] for block in draft.blocks] == [COUNT]
    driver.check_replay()


def test_a_job_whose_start_fell_due_twice_is_admitted_once():
    driver = CoreDriver().with_both()
    job = driver.submit(start_ms=driver.now_ms + 1_000)
    driver.verb(Verb.RESCHEDULE, job, value=driver.now_ms + 2_000)
    driver.verb(Verb.RESCHEDULE, job, value=driver.now_ms + 1_000)

    driver.later(s=1)

    assert names(driver) == {"Queued"}
    driver.check_replay()
