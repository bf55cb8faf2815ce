"""A chain that was submitted as a child may outlive the job at the top of its family."""

from __future__ import annotations

from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.job import Role
from interlock_server.core.vocabulary.status import Lifecycle, Status
from tests.support.chains import CHAIN, WORK, ChainDriver, step


def test_a_skipped_step_stays_until_its_own_chain_is_over():
    core = ChainDriver(step("first", "a"), step("second", "b"))
    core.connect("robot-1", WORK, slots=10)
    parent = core.submit(WORK, hold=True)
    chain = core.submit(CHAIN, parent=parent.id, after_parent=True, start_at_step="second")
    core.verb(Verb.CANCEL, parent)
    core.commit()

    assert parent.id not in core.world.jobs
    assert core.step("first").status == Status.REDWOOD_SKIPPED
    assert core.step("first").id in core.world.jobs

    core.dispatch()
    core.report(ReportKind.STARTED, core.call("b"))
    core.report(ReportKind.COMPLETED, core.call("b"))
    core.archive()

    assert core.archived[chain.id].status == Status.REDWOOD_COMPLETED
    assert core.jobs_of(Role.STEP)
    assert not core.world.jobs
    core.check_replay()


def test_a_skipped_call_leaves_no_message_and_is_not_enabled():
    core = ChainDriver(step("first", "a"), step("second", "b"))
    core.define(WORK, Lifecycle.REDWOOD, message_on_failure=True)
    core.start(start_at_step="second")
    skipped = core.call("a")

    assert not skipped.messages
    outcome = core.verb(Verb.ENABLE, skipped)
    assert outcome.rejection is not None
