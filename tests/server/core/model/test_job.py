"""A job's record: parts that only some jobs have, and a history that rests."""

from __future__ import annotations

from sys import getsizeof

import msgspec
import pytest

from interlock_server.core import apply
from interlock_server.core.model.job import PARTS, Job, Role
from interlock_server.core.model.job_part import Kinship, Timing, said
from tests.support.core_driver import REDWOOD, CoreDriver

#: A dict gives an entry less than this, whatever its load.
DICT_ENTRY = 104


def plain() -> Job:
    return Job(7, 2, "load", 1, "default", 50, 1, 2, 3)


def parts_of(job: Job) -> set[str]:
    return {part for part in PARTS if getattr(job, part) is not None}


def test_a_field_of_a_part_is_read_and_written_like_one_of_the_job():
    job = plain()

    job.step, job.role = "load", Role.STEP

    assert (job.step, job.role, job.parent) == ("load", Role.STEP, 0)
    assert job.kinship == Kinship(step="load", role=Role.STEP)


def test_a_part_that_says_nothing_any_more_goes():
    job = plain()
    job.window, job.locks = "night", ()
    assert parts_of(job) == {"timing"}

    job.window = ""

    assert parts_of(job) == set()
    assert said(Timing()) is None
    assert said(Timing("night")) == Timing("night")


@pytest.mark.parametrize("part", PARTS)
def test_every_field_of_a_part_is_a_field_of_the_job(part):
    job = plain()

    for name in PARTS[part].__struct_fields__:
        assert getattr(job, name) == getattr(PARTS[part], name)
        assert isinstance(getattr(Job, name), property)


def test_a_copy_keeps_what_its_original_says_afterwards_to_itself():
    job = plain()
    job.window = "night"
    copied = msgspec.structs.replace(job)

    job.window = "day"

    assert copied.window == "night"


def test_a_job_goes_on_after_its_history_was_packed():
    core = CoreDriver().with_both()
    job = core.submit(REDWOOD)
    before = job.history

    apply.rest(job)
    assert isinstance(job.entries, bytes)
    assert job.history == before
    core.connect()

    assert job.history[: len(before)] == before
    assert len(job.history) > len(before)


def test_a_waiting_job_takes_less_than_a_kibibyte():
    """All that there is of it alone: shared texts, times and causes are not counted."""
    core = CoreDriver().with_both()
    core.submit(REDWOOD, parameters='{"month": "2026-10"}')
    job = core.submit(REDWOOD, parameters='{"month": "2026-11"}')

    own: list[object] = [job, job.id, job.parameters, job.entries, *job.history]
    own += [entry.revision for entry in job.history]
    own += [order for lane in core.world.lanes.by_key.values() for order in lane.heap][:1]
    live = sum(map(getsizeof, own)) + DICT_ENTRY
    apply.rest(job)
    resting = sum(map(getsizeof, (job, job.id, job.parameters, job.entries))) + DICT_ENTRY

    assert resting < live < 1024
