"""A batch that says the same of all its jobs means what its reports mean one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from interlock_server.core import command as c
from interlock_server.core.apply import HISTORY_KEPT
from interlock_server.core.command import ReportKind as R
from interlock_server.core.model.definition import LimitEffect, LimitKind, RuntimeLimit
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.status import Lifecycle
from tests.support.core_driver import REDWOOD, UIPATH, CoreDriver

if TYPE_CHECKING:
    from collections.abc import Sequence

COUNT = 10
#: What was reported before, so that the jobs are in the status that the last kind moves them from.
WAYS = {
    "start Assigned jobs": (REDWOOD, [R.ACCEPTED], R.STARTED),
    "start Pending jobs": (UIPATH, [], R.STARTED),
    "let Running jobs wait": (REDWOOD, [R.STARTED], R.WAITING),
    "end the wait": (REDWOOD, [R.STARTED, R.WAITING], R.WAIT_OVER),
}


def at_robot(definition: str, before: Sequence[R]) -> CoreDriver:
    driver = CoreDriver().with_both()
    driver.connect(slots=2 * COUNT)
    for _ in range(COUNT):
        driver.submit(definition)
    driver.dispatch()
    for kind in before:
        driver.report(kind, *driver.world.jobs.values())
    return driver


def say(driver: CoreDriver, kind: R, jobs: Sequence[int], *, shortened: bool) -> list[str]:
    """Report one kind of all jobs, in one value or in one for each; the reasons of refusals."""
    times = 1 if shortened else len(jobs)
    driver.sequences["robot-1"] += 1
    refused = driver.accepted(
        c.Report(
            "robot-1",
            driver.epochs["robot-1"],
            driver.sequences["robot-1"],
            tuple(jobs),
            (1,) * times,
            bytes([kind]) * times,
            {},
        ),
        actor=Actor.ROBOT,
        author="robot-1",
    )
    return [f"{index} {rejection.reason.name}" for index, rejection in refused]


def both(definition: str, before: Sequence[R], kind: R, *jobs: int) -> list[list[str]]:
    """Say it to two equal Worlds in both ways, which has to leave them equal; what was refused."""
    refused = []
    worlds = []
    for shortened in (True, False):
        driver = at_robot(definition, before)
        refused.append(say(driver, kind, jobs, shortened=shortened))
        driver.check_replay()
        worlds.append(driver)
    assert worlds[0].digest() == worlds[1].digest()
    for one, other in zip(worlds[0].drafts[-1].blocks, worlds[1].drafts[-1].blocks, strict=True):
        for column in ("jobs", "rows", "definitions", "queues", "robots", "notes", "cause"):
            assert getattr(one, column) == getattr(other, column)
    assert refused[0] == refused[1]
    return refused


@pytest.mark.parametrize(("definition", "before", "kind"), WAYS.values(), ids=WAYS)
def test_a_batch_of_one_kind_moves_its_jobs_as_single_reports_do(definition, before, kind):
    refused, _ = both(definition, before, kind, *range(1, COUNT + 1))

    assert refused == []


def test_the_old_part_of_long_histories_leaves_memory_as_with_single_reports():
    spilled = []
    for shortened in (True, False):
        driver = at_robot(REDWOOD, [R.STARTED])
        for _ in range(HISTORY_KEPT):
            say(driver, R.WAITING, range(1, COUNT + 1), shortened=shortened)
            say(driver, R.WAIT_OVER, range(1, COUNT + 1), shortened=shortened)
        spilled.append(driver.world.spilled)

    assert len(spilled[0]) == COUNT
    assert spilled[0] == spilled[1]


@pytest.mark.parametrize(
    ("jobs", "refused"),
    [
        ((1, 2, 99), ["2 JOB_NOT_FOUND"]),
        ((99, 1), ["0 JOB_NOT_FOUND"]),
        ((1, 2, 1), ["2 ILLEGAL_TRANSITION"]),
        ((), []),
    ],
    ids=["of an unknown job at the end", "of an unknown job first", "of a job twice", "of none"],
)
def test_a_report_that_cannot_be_applied_is_refused_alone(jobs, refused):
    found, _ = both(REDWOOD, [R.STARTED], R.WAITING, *jobs)

    assert found == refused


def test_jobs_that_are_not_in_the_same_status_are_each_decided_for_themselves():
    driver = at_robot(REDWOOD, [R.STARTED])
    say(driver, R.WAITING, [2], shortened=True)

    refused = say(driver, R.WAITING, [1, 2, 3], shortened=True)

    assert refused == ["1 ILLEGAL_TRANSITION"]
    driver.check_replay()


def test_a_job_with_a_runtime_limit_does_not_only_move():
    driver = at_robot(REDWOOD, [R.ACCEPTED])
    driver.define(
        REDWOOD,
        Lifecycle.REDWOOD,
        runtime_limits=(
            RuntimeLimit(LimitKind.MAXIMUM, duration_ms=1_000, effect=LimitEffect.KILL),
        ),
    )

    say(driver, R.STARTED, range(1, COUNT + 1), shortened=True)

    assert all(job.limit_at_ms for job in driver.world.jobs.values())
    driver.check_replay()
