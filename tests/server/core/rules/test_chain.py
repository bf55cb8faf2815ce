"""Chains: expansion, the way through the steps, and how they end (domain.md B9)."""

from __future__ import annotations

from typing import Any

import pytest

from interlock_server.core.command import NewJob, ReportKind, SubmitJobs, Verb
from interlock_server.core.model.chain import Call
from interlock_server.core.model.definition import (
    LimitEffect,
    LimitKind,
    Parameter,
    Rule,
    RuleEffect,
    RuntimeLimit,
)
from interlock_server.core.rejection import Reason
from interlock_server.core.vocabulary.status import Lifecycle
from tests.support.chains import CHAIN, WORK, ChainDriver, path, step


def test_all_steps_and_calls_are_there_at_once_as_chained():
    core = ChainDriver(step("load", "a", "b"), step("post", "c"))
    core.submit(CHAIN, hold=True)

    members = (core.step("load"), core.call("a"), core.call("b"), core.step("post"), core.call("c"))
    assert core.settled(*members) == "Chained Chained Chained Chained Chained"
    assert [job.place for job in members] == [0, 0, 1, 1, 0]
    assert {job.top for job in members} == {1}
    assert core.world.children[1] == dict.fromkeys((2, 5))


def test_a_chain_goes_the_way_of_the_table():
    core = ChainDriver(step("load", "a", "b"), step("post", "c"))
    chain = core.start()
    assert core.now(chain, core.step("load"), core.step("post")) == "Waiting Waiting Chained"

    core.run("a", "b")
    core.run("c")

    waits = "New Scheduled Queued Dispatched Assigned Running Waiting Completed"
    assert path(chain) == waits
    assert path(core.step("load")) == waits.replace("New ", "New Chained ")
    assert (
        path(core.call("a")) == "New Chained Scheduled Queued Dispatched Assigned Running Completed"
    )
    core.check_replay()


def test_members_leave_memory_with_their_chain():
    core = ChainDriver(step("load", "a", "b"), step("post", "c"))
    core.start()
    core.run("a", "b")
    assert core.archive() == []

    core.run("c")

    assert len(core.archive()) == 6
    assert not core.world.jobs
    assert not core.world.children
    assert not core.world.families
    assert not core.world.steps
    core.check_replay()


def test_a_failed_call_fails_step_and_chain_and_cancels_what_was_not_reached():
    core = ChainDriver(step("load", "a", "b"), step("post", "c"))
    chain = core.start()
    core.run("a")
    core.fail("b")

    members = (chain, core.step("load"), core.call("b"), core.step("post"), core.call("c"))
    assert core.settled(*members) == "Error Error Error Canceled Canceled"


def test_a_step_waits_for_all_of_its_calls_before_it_fails():
    core = ChainDriver(step("load", "a", "b"))
    chain = core.start()
    core.fail("a")
    assert core.now(chain, core.step("load"), core.call("b")) == "Waiting Waiting Dispatched"


def test_a_call_that_is_off_in_the_definition_is_ignored():
    core = ChainDriver(step("load", "a", Call("b", WORK, disabled=True)))
    chain = core.start()
    assert path(core.call("b")) == "New Ignored"
    core.run("a")
    assert core.settled(chain) == "Completed"


def test_steps_before_the_one_it_starts_at_are_skipped():
    core = ChainDriver(step("load", "a"), step("post", "b"))
    chain = core.start(start_at_step="post")
    assert path(core.step("load")) == path(core.call("a")) == "New Chained Skipped"
    core.run("b")
    assert core.settled(chain) == "Completed"


@pytest.mark.parametrize(("definition", "where"), [(CHAIN, "no step 'nowhere'"), (WORK, "is none")])
def test_a_start_at_a_step_that_there_is_not_is_refused(definition, where):
    core = ChainDriver(step("load", "a"))
    (outcome,) = core.take(SubmitJobs((NewJob(definition, start_at_step="nowhere"),)))
    assert outcome.rejection.reason is Reason.STEP_NOT_FOUND
    assert where in outcome.rejection.sentence


def test_a_false_precondition_skips_a_step_with_its_calls():
    core = ChainDriver(step("load", "a", precondition="1 == 2"), step("post", "b"))
    chain = core.start()
    assert path(core.step("load")) == path(core.call("a")) == "New Chained Skipped"
    core.run("b")
    assert core.settled(chain) == "Completed"


def test_a_false_precondition_skips_a_call_and_its_step_goes_on():
    off = Call("a", WORK, precondition="chain.parameters['run'] == true")
    core = ChainDriver(step("load", off, "b"))
    chain = core.start(parameters='{"run": false}')
    assert core.now(core.call("a")) == "Skipped"
    core.run("b")
    assert core.settled(chain) == "Completed"


def test_a_chain_of_which_nothing_runs_completes():
    core = ChainDriver(
        step("load", Call("a", WORK, precondition="false")), step("post", "b", precondition="false")
    )
    chain = core.start()
    assert core.settled(chain, core.step("load")) == "Completed Completed"


def test_a_precondition_reads_how_earlier_calls_ended():
    core = ChainDriver(
        step("load", "a"),
        step("post", "b", precondition="steps['load'].calls['a'].result == 7"),
        step("mail", "c", precondition="steps['load'].calls['a'].result == 8"),
    )
    chain = core.start()
    core.run("a", result="7")
    assert core.now(core.call("b"), core.call("c")) == "Dispatched Chained"
    core.run("b")
    assert core.settled(chain, core.call("c")) == "Completed Skipped"


def test_a_precondition_that_cannot_be_told_cancels_and_fails():
    core = ChainDriver(step("load", "a", precondition="chain.parameters['x'] == 1"))
    chain = core.start()
    assert core.settled(chain, core.step("load"), core.call("a")) == "Error Canceled Canceled"
    assert "cannot be told" in core.step("load").history[-1].cause.reason


def test_a_call_whose_parameters_do_not_fit_fails_at_expansion():
    core = ChainDriver()
    core.define("typed", Lifecycle.REDWOOD, parameters=(Parameter("n", "integer", required=True),))
    core.put_chain(CHAIN, step("load", Call("a", "typed"), "b"))
    chain = core.start()
    assert path(core.call("a")) == "New Error"
    core.run("b")
    assert core.settled(chain) == "Error"


# -- hold, disable, enable ----------------------------------------------------------------------


def test_a_held_call_becomes_held_when_its_step_starts_and_waits_for_the_release():
    core = ChainDriver(step("load", "a"), step("post", "b", Call("c", WORK, hold=True)))
    core.start()
    core.verb(Verb.HOLD, core.call("b"))
    assert core.now(core.call("b")) == "Chained"

    core.run("a")
    assert core.now(core.call("b"), core.call("c")) == "Held Held"
    core.verb(Verb.RELEASE, core.call("b"))
    core.verb(Verb.RELEASE, core.call("c"))
    core.dispatch()
    core.run("b", "c")

    assert path(core.call("b")).startswith("New Chained Held Scheduled Queued")
    assert core.settled(core.world.jobs[1]) == "Completed"


def test_a_held_step_is_held_when_the_step_before_has_ended():
    core = ChainDriver(step("load", "a"), step("post", "b", hold=True))
    chain = core.start()
    core.run("a")
    assert core.now(core.step("post"), core.call("b")) == "Held Chained"
    core.verb(Verb.RELEASE, core.step("post"))
    core.dispatch()
    core.run("b")
    assert core.settled(chain) == "Completed"


def test_releasing_a_call_before_its_step_starts_takes_the_hold_back():
    core = ChainDriver(step("load", "a"), step("post", Call("b", WORK, hold=True)))
    core.start()
    assert not core.verb(Verb.RELEASE, core.call("b")).unchanged
    assert core.verb(Verb.RELEASE, core.call("b")).unchanged
    core.run("a")
    assert core.now(core.call("b")) == "Dispatched"


def test_releasing_a_running_step_releases_its_held_calls():
    core = ChainDriver(step("load", Call("a", WORK, hold=True), Call("b", WORK, hold=True)))
    chain = core.start()
    core.verb(Verb.RELEASE, core.step("load"))
    core.dispatch()
    core.run("a", "b")
    assert core.settled(chain) == "Completed"


def test_a_call_that_is_switched_off_counts_as_done():
    core = ChainDriver(step("load", "a"), step("post", "b", "c"))
    chain = core.start()
    core.verb(Verb.DISABLE, core.call("b"))
    core.run("a")
    core.run("c")
    assert core.settled(chain, core.call("b")) == "Completed Disabled"
    assert core.call("b") in core.archive()
    core.check_replay()


def test_a_call_can_be_switched_on_again():
    core = ChainDriver(step("load", "a"), step("post", "b"))
    chain = core.start()
    core.verb(Verb.DISABLE, core.call("b"))
    core.verb(Verb.ENABLE, core.call("b"))
    assert path(core.call("b")) == "New Chained Disabled Chained"
    core.run("a")
    core.run("b")
    assert core.settled(chain) == "Completed"
    assert chain.disabled == ()


def test_a_step_whose_calls_are_all_off_completes_at_once():
    core = ChainDriver(step("load", "a"), step("post", "b"))
    chain = core.start()
    core.verb(Verb.DISABLE, core.call("b"))
    core.run("a")
    assert core.settled(chain, core.step("post"), core.call("b")) == "Completed Completed Disabled"


@pytest.mark.parametrize("verb", [Verb.DISABLE, Verb.ENABLE])
def test_only_calls_that_wait_for_their_step_are_switched(verb):
    core = ChainDriver(step("load", "a"))
    chain = core.start()
    for job in (chain, core.step("load"), core.call("a")):
        outcome = core.verb(verb, job)
        assert outcome.rejection is not None
        assert outcome.rejection.reason is Reason.ILLEGAL_TRANSITION


# -- cancel and kill ----------------------------------------------------------------------------


def test_a_chain_that_has_not_started_is_canceled_whole():
    core = ChainDriver(step("load", "a", "b"), step("post", "c"))
    chain = core.submit(CHAIN, hold=True)
    core.verb(Verb.DISABLE, core.call("a"))
    core.verb(Verb.CANCEL, chain)
    members = (core.step("load"), core.call("a"), core.call("b"), core.call("c"))
    assert core.settled(chain, *members) == "Canceled Canceled Canceled Canceled Canceled"
    assert path(core.call("a")) == "New Chained Disabled Canceled"


def test_a_killed_chain_is_killing_until_what_ran_below_it_is_gone():
    core = ChainDriver(step("load", "a", "b"), step("post", "c"))
    chain = core.start()
    running = core.call("a")
    core.report(ReportKind.STARTED, running)
    core.verb(Verb.KILL, chain)

    members = (chain, core.step("load"), running, core.call("b"), core.step("post"))
    assert core.settled(*members) == "Killing Killing Killing Canceling Canceled"
    core.report(ReportKind.CANCEL_CONFIRMED, core.call("b"))
    assert core.now(chain) == "Killing"
    core.report(ReportKind.KILLED, running)
    assert (
        core.settled(*members, core.call("c")) == "Killed Killed Killed Canceled Canceled Canceled"
    )


def test_a_chain_whose_calls_only_wait_is_killed_at_once():
    core = ChainDriver(step("load", Call("a", WORK, hold=True)), step("post", "b"))
    chain = core.start()
    core.verb(Verb.KILL, chain)
    members = (chain, core.step("load"), core.call("a"), core.step("post"))
    assert core.settled(*members) == "Killed Killed Canceled Canceled"


def test_a_killed_step_fails_its_chain():
    core = ChainDriver(step("load", Call("a", WORK, hold=True)), step("post", "b"))
    chain = core.start()
    core.verb(Verb.KILL, core.step("load"))
    assert core.settled(chain, core.step("load"), core.step("post")) == "Error Killed Canceled"


def test_a_canceled_step_fails_its_chain_when_that_comes_to_it():
    core = ChainDriver(step("load", "a"), step("post", "b"))
    chain = core.start()
    core.verb(Verb.CANCEL, core.step("post"))
    assert core.now(chain, core.call("b")) == "Waiting Canceled"
    core.run("a")
    assert core.settled(chain, core.step("load")) == "Error Completed"


def test_a_chain_waits_through_a_restart_of_the_server():
    core = ChainDriver(step("load", "a"), step("post", "b"))
    chain = core.start()
    core.report(ReportKind.STARTED, core.call("a"))
    core.restart_server()
    assert core.settled(chain, core.step("load"), core.call("a")) == "Waiting Waiting Uncertain"


# -- chains in chains ---------------------------------------------------------------------------


def nested() -> ChainDriver:
    core = ChainDriver()
    core.put_chain("inner", step("in", "x", "y"))
    core.put_chain(CHAIN, step("load", Call("sub", "inner"), "a"), step("post", "b"))
    return core


def test_a_call_that_is_a_chain_is_expanded_with_its_chain():
    core = nested()
    chain = core.start()
    core.run("a", "x")
    assert core.now(chain, core.call("sub"), core.step("in")) == "Waiting Waiting Waiting"
    core.run("y")
    core.run("b")
    assert core.settled(chain, core.call("sub")) == "Completed Completed"
    assert {job.top for job in core.world.jobs.values()} == {0, chain.id}


def test_killing_the_top_kills_what_is_deep_below():
    core = nested()
    chain = core.start()
    core.report(ReportKind.STARTED, core.call("x"))
    core.verb(Verb.KILL, chain)
    assert core.now(chain, core.call("sub"), core.step("in")) == "Killing Killing Killing"
    core.report(ReportKind.KILLED, core.call("x"))
    core.report(ReportKind.CANCEL_CONFIRMED, core.call("y"))
    core.report(ReportKind.CANCEL_CONFIRMED, core.call("a"))
    assert core.settled(chain, core.call("sub"), core.step("in")) == "Killed Killed Killed"


def test_switching_off_a_chain_in_a_chain_cancels_its_steps_when_it_is_reached():
    core = ChainDriver()
    core.put_chain("inner", step("in", "x"))
    core.put_chain(CHAIN, step("load", "a"), step("post", Call("sub", "inner"), "b"))
    chain = core.start()
    core.verb(Verb.DISABLE, core.call("sub"))
    core.run("a")
    assert core.now(core.step("in"), core.call("x")) == "Canceled Canceled"
    core.run("b")
    assert core.settled(chain, core.call("sub")) == "Completed Disabled"


def test_a_thousand_calls_of_a_step_cost_a_thousand_times_one():
    core = ChainDriver(step("load", *(f"c{number}" for number in range(1000))), slots=1000)
    core.checked = False
    chain = core.start()
    calls = [core.world.jobs[call] for call in core.world.children[core.step("load").id]]
    core.report(ReportKind.STARTED, *calls)
    core.report(ReportKind.COMPLETED, *calls)
    assert core.settled(chain) == "Completed"


# -- actions and limits of the chain itself -----------------------------------------------------


def with_chain(**fields: Any) -> ChainDriver:
    core = ChainDriver()
    core.put_chain(
        CHAIN, step("load", "a", Call("b", WORK, hold=True)), step("post", "c"), **fields
    )
    return core


def test_the_pre_running_action_of_a_chain_runs_before_its_steps():
    core = with_chain(pre_running=(Rule("job.priority > 90", RuleEffect.CANCEL),))
    chain = core.start()
    assert path(chain).endswith("Assigned PreRunning Running Waiting")
    urgent = core.start(priority=95)
    assert path(urgent).endswith("Assigned PreRunning Canceled")
    assert core.settled(core.step("load")) == "Waiting"


def test_a_chain_that_its_action_puts_on_hold_starts_when_it_is_released():
    core = with_chain(pre_running=(Rule("job.priority > 90", RuleEffect.HOLD),))
    chain = core.start(priority=95)
    assert core.now(chain, core.step("load")) == "Held Chained"
    core.verb(Verb.SET_PRIORITY, chain, value=50)
    core.verb(Verb.RELEASE, chain)
    core.dispatch()
    assert core.settled(chain, core.step("load")) == "Waiting Waiting"


def test_the_post_running_action_of_a_chain_looks_at_its_result():
    core = ChainDriver()
    complete = Rule("new_status == 'Error'", RuleEffect.COMPLETE)
    core.put_chain(CHAIN, step("load", "a"), step("post", "b"), post_running=(complete,))
    chain = core.start()
    core.fail("a")
    assert path(chain).endswith("Waiting PostRunning Completed")
    assert core.settled(core.step("load"), core.call("b")) == "Error Canceled"


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        (LimitEffect.KILL, "Killed Killed Killed Canceled Canceled"),
        (LimitEffect.ERROR, "Error Killed Killed Canceled Canceled"),
    ],
)
def test_a_chain_that_runs_for_too_long_ends_all_that_is_below_it_first(effect, expected):
    limit = RuntimeLimit(LimitKind.MAXIMUM, duration_ms=60_000, effect=effect)
    core = with_chain(runtime_limits=(limit,))
    chain = core.start()
    running = core.call("a")
    core.report(ReportKind.STARTED, running)
    core.later(minutes=2)

    jobs = (chain, core.step("load"), running, core.call("b"), core.step("post"))
    assert core.now(running, core.call("b")) == "Killing Canceled"
    core.report(ReportKind.KILLED, running)
    assert core.settled(*jobs) == expected
