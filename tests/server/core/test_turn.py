"""The tables are the law: every status with every trigger, and every row with every actor."""

from __future__ import annotations

import pytest

from interlock_server.core import command as c
from interlock_server.core.change import Cause
from interlock_server.core.turn import Draft, Turn
from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import ROWS, next_row
from interlock_server.core.vocabulary.status import Status
from interlock_server.core.vocabulary.trigger import Trigger
from tests.support.core_driver import REDWOOD, CoreDriver
from tests.support.placed_job import placed

ALL = [row for row in ROWS if row is not None]
MOVES = [row for row in ALL if row.source]


@pytest.mark.parametrize("status", Status, ids=lambda status: status.name)
def test_a_trigger_moves_a_job_as_its_row_says_or_changes_nothing(status):
    for trigger in Trigger:
        core, job = placed(status)
        row = ROWS[next_row(status, trigger)]
        before, revision = core.digest(), core.revision
        draft = Draft()
        actor = row.actors[0] if row is not None else Actor.USER
        turn = Turn(core.world, draft, Cause(core.now_ms, int(actor), "somebody", "a reason"))

        if row is None:
            with pytest.raises(AssertionError, match="no row"):
                turn.move(job, trigger)

            assert core.digest() == before
            assert not draft
        else:
            turn.move(job, trigger)

            assert job.status == row.target
            assert job.revision == core.revision == revision + 1
            assert job.history[-1].row == row.number
            assert job.history[-1].cause == turn.cause
            (block,) = draft.blocks
            assert (block.jobs, bytes(block.rows)) == ([job.id], bytes([row.number]))
            assert list(block.revisions()) == [revision + 1]


@pytest.mark.parametrize("row", MOVES, ids=lambda row: row.id)
def test_an_actor_who_is_not_named_by_a_row_cannot_cause_it(row):
    for actor in set(Actor) - set(row.actors):
        core, job = placed(Status(row.source))
        before, draft = core.digest(), Draft()
        turn = Turn(core.world, draft, Cause(core.now_ms, int(actor), "somebody"))

        with pytest.raises(AssertionError, match="may not cause"):
            turn.move(job, row.trigger)

        assert core.digest() == before
        assert not draft


@pytest.mark.parametrize("row", MOVES, ids=lambda row: row.id)
def test_every_actor_that_a_row_names_can_cause_it(row):
    for actor in row.actors:
        core, job = placed(Status(row.source))
        turn = Turn(core.world, Draft(), Cause(core.now_ms, int(actor), "somebody"))

        turn.move(job, row.trigger)

        assert job.status == row.target


def test_the_stamps_of_a_status_are_set_and_cleared_with_it():
    core, job = placed(Status.UIPATH_RUNNING)
    turn = Turn(core.world, Draft(), Cause(core.now_ms + 5, int(Actor.USER), "somebody"))

    turn.move(job, Trigger.KILL)
    assert job.terminating_since_ms == core.now_ms + 5

    turn.follow_up(Actor.CLOCK, "clean-up")
    turn.move(job, Trigger.CLEAN_UP)
    assert (job.terminating_since_ms, job.ended_ms) == (0, core.now_ms + 5)
    assert not job.attached


def test_changes_of_one_cause_share_a_block_and_reasons_of_single_changes_are_kept():
    core, job = placed(Status.REDWOOD_RUNNING)
    draft = Draft()
    turn = Turn(core.world, draft, Cause(core.now_ms, int(Actor.ROBOT), "robot-1"))

    turn.move(job, Trigger.WAIT, "for a child")
    turn.move(job, Trigger.STOP_WAITING)
    turn.follow_up(Actor.USER, "operator", "too slow")
    turn.move(job, Trigger.KILL)
    turn.end()

    assert [len(block) for block in draft.blocks] == [2, 1]
    assert [block.continues for block in draft.blocks] == [True, False]
    assert [block.cause.author for block in draft.blocks] == ["robot-1", "operator"]
    assert draft.blocks[0].reason(0) == "for a child"
    assert draft.blocks[0].reason(1) == ""
    assert draft.blocks[1].reason(0) == "too slow"
    assert [entry.cause.reason for entry in job.history[1:]] == ["for a child", "", "too slow"]


def test_jobs_that_change_together_do_not_give_up_their_history_together():
    core = CoreDriver().with_both()
    core.connect(slots=1_000)
    core.accepted(c.SubmitJobs((c.NewJob(REDWOOD, count=300),)))
    core.dispatch()
    turn = Turn(core.world, Draft(), Cause(core.now_ms, int(Actor.ROBOT), "robot-1"))
    jobs = list(core.world.jobs.values())
    for job in jobs:
        turn.move(job, Trigger.ACCEPT)
        turn.move(job, Trigger.START)
    rounds = []

    for _ in range(100):
        for job in jobs:
            turn.move(job, Trigger.WAIT)
            turn.move(job, Trigger.STOP_WAITING)
        rounds.append(len(core.world.spilled))
        core.world.spilled.clear()

    first, *later = [count for count in rounds if count]
    assert first == len(jobs)
    assert max(later) < len(jobs)


def test_the_old_half_of_a_very_long_history_leaves_memory_once():
    core, job = placed(Status.REDWOOD_RUNNING)
    turn = Turn(core.world, Draft(), Cause(core.now_ms, int(Actor.ROBOT), "robot-1"))

    for _ in range(100):
        turn.move(job, Trigger.WAIT)
        turn.move(job, Trigger.STOP_WAITING)

    spilled = [entry for _, _, entries in core.world.spilled for entry in entries]
    assert [part for _, part, _ in core.world.spilled] == [0, 1]
    assert job.spilled_parts == 2
    assert len(job.history) < 128
    revisions = [entry.revision for entry in (*spilled, *job.history)]
    assert revisions == list(range(revisions[0], revisions[0] + 201))
