"""Status handlers of steps and chains, and the restarts that they order (domain.md B9, RA-19)."""

from __future__ import annotations

from typing import Any

import pytest

from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.chain import Call, HandledStatus, HandlerAction, StatusHandler
from interlock_server.core.model.job import Role
from tests.support.chains import CHAIN, WORK, ChainDriver, path, step

A, H = HandlerAction, HandledStatus


def on(status: HandledStatus, action: HandlerAction, **fields: Any) -> StatusHandler:
    return StatusHandler(status, action, **fields)


def two_steps(*handlers: StatusHandler, **chain: Any) -> ChainDriver:
    """A step with two calls and these handlers, then one that posts."""
    core = ChainDriver(step("load", "a", "b", handlers=handlers), step("post", "c"), **chain)
    core.start()
    return core


def fail_b(core: ChainDriver) -> None:
    core.run("a")
    core.fail("b")


def test_continue_counts_a_failed_step_as_completed():
    core = two_steps(on(H.ERROR, A.CONTINUE))
    fail_b(core)
    core.run("c")
    assert core.settled(core.world.jobs[1], core.step("load")) == "Completed Completed"


def test_end_completed_leaves_the_step_in_error_and_completes_the_chain():
    core = two_steps(on(H.ERROR, A.END_COMPLETED))
    fail_b(core)
    jobs = (core.world.jobs[1], core.step("load"), core.step("post"), core.call("c"))
    assert core.settled(*jobs) == "Completed Error Canceled Canceled"


def test_end_error_after_a_completed_step_fails_the_chain():
    core = two_steps(on(H.COMPLETED, A.END_ERROR))
    core.run("a", "b")
    assert core.settled(core.world.jobs[1], core.step("load")) == "Error Completed"


def test_the_handlers_of_a_step_come_before_those_of_its_chain():
    core = two_steps(on(H.OTHERWISE, A.CONTINUE), handlers=(on(H.ERROR, A.END_ERROR),))
    fail_b(core)
    assert core.settled(core.world.jobs[1], core.step("load")) == "Waiting Completed"


def test_a_handler_of_the_chain_fires_where_the_step_has_none_for_it():
    core = two_steps(on(H.KILLED, A.CONTINUE), handlers=(on(H.ERROR, A.END_COMPLETED),))
    fail_b(core)
    assert core.settled(core.world.jobs[1]) == "Completed"


def test_otherwise_comes_last_of_its_level():
    core = two_steps(on(H.OTHERWISE, A.END_ERROR), on(H.ERROR, A.CONTINUE))
    fail_b(core)
    assert core.settled(core.world.jobs[1], core.step("load")) == "Waiting Completed"


@pytest.mark.parametrize(
    ("kind", "handled"),
    [(ReportKind.FAILED, H.ERROR), (ReportKind.CANCELED, H.CANCELED)],
)
def test_a_handler_fires_for_the_status_of_a_call(kind, handled):
    others = {H.ERROR, H.CANCELED, H.KILLED, H.UNKNOWN} - {handled}
    wrong = (on(each, A.END_ERROR) for each in others)
    core = two_steps(*wrong, on(handled, A.CONTINUE))
    core.run("a")
    core.run("b", kind=kind)
    assert core.now(core.step("load")) == "Completed"


def test_a_handler_whose_condition_is_false_does_not_fire():
    core = two_steps(
        on(H.ERROR, A.END_ERROR, condition="steps['load'].calls['b'].return_code == 4"),
        on(H.ERROR, A.CONTINUE, condition="step == 'load' && chain.iteration == 1"),
    )
    fail_b(core)
    assert core.now(core.step("load")) == "Completed"


def test_go_to_a_later_step_skips_what_lies_between():
    core = ChainDriver(
        step("one", "a", handlers=(on(H.ERROR, A.GO_TO_STEP, step="three"),)),
        step("two", "b"),
        step("three", "c"),
    )
    chain = core.start()
    core.fail("a")
    assert core.now(core.step("one"), core.step("two"), core.call("b")) == "Error Skipped Skipped"
    core.run("c")
    assert core.settled(chain) == "Completed"


def test_go_to_an_earlier_step_runs_it_and_what_follows_again():
    core = ChainDriver(
        step("one", "a"), step("two", "b", handlers=(on(H.ERROR, A.GO_TO_STEP, step="one"),))
    )
    chain = core.start()
    core.run("a")
    core.fail("b")
    assert core.now(core.step("two"), core.step("one", 2), core.step("two", 2)) == (
        "Error Waiting Chained"
    )
    core.run("a")
    core.run("b")
    assert core.settled(chain) == "Completed"
    assert core.step("one", 2).executions == (core.step("one").id,)


def test_going_back_for_ever_ends_with_the_maximum_of_starts():
    loop = step("one", "a", handlers=(on(H.COMPLETED, A.GO_TO_STEP, step="one"),))
    core = ChainDriver()
    core.put_chain(CHAIN, loop, starts_max=3)
    chain = core.start()
    for _ in range(4):
        core.run("a")
    assert core.settled(chain) == "Completed"
    assert [job.iteration for job in core.jobs_of(Role.STEP)] == [1, 2, 3, 4]


def test_restart_step_runs_all_calls_again_in_new_jobs():
    core = two_steps(on(H.ERROR, A.RESTART_STEP))
    fail_b(core)
    assert core.now(core.step("load"), core.step("load", 2)) == "Error Waiting"
    core.run("a", "b")
    core.run("c")
    assert core.settled(core.world.jobs[1]) == "Completed"
    assert core.call("b").id != core.call("b", 2).id
    assert core.call("b", 2).executions == (core.call("b").id,)


def test_restart_failed_runs_only_what_did_not_complete():
    core = two_steps(on(H.ERROR, A.RESTART_FAILED))
    fail_b(core)
    assert [job.call for job in core.jobs_of(Role.CALL)] == ["a", "b", "c", "b"]
    core.run("b")
    core.run("c")
    assert core.settled(core.world.jobs[1]) == "Completed"


def test_the_maximum_of_a_step_counts_its_first_run():
    core = ChainDriver(
        step("load", "a", handlers=(on(H.ERROR, A.RESTART_STEP),), restarts_max=2), step("x", "b")
    )
    chain = core.start()
    core.fail("a")
    core.fail("a")
    assert core.settled(chain, core.step("load"), core.step("load", 2)) == "Error Error Error"
    assert "used up" in core.step("load", 2).history[-1].cause.reason


def test_the_maximum_of_a_definition_does_not_count_the_first_run():
    core = ChainDriver()
    load = step("load", "a", handlers=(on(H.ERROR, A.RESTART_STEP),))
    core.put_chain(CHAIN, load, starts_max=2)
    chain = core.start()
    for _ in range(3):
        core.fail("a")
    assert core.settled(chain) == "Error"
    assert len(core.jobs_of(Role.STEP)) == 3


def test_a_delayed_restart_waits_as_delayed():
    core = two_steps(on(H.ERROR, A.RESTART_STEP, delay_ms=60_000))
    fail_b(core)
    anew = core.step("load", 2)
    assert core.settled(core.world.jobs[1], anew, core.call("a", 2)) == "Waiting Delayed Chained"
    assert anew.delay_reason == "restart"
    core.later(minutes=1)
    core.dispatch()
    core.run("a", "b")
    core.run("c")
    assert path(anew).startswith("New Delayed Scheduled Queued Dispatched")
    assert core.settled(core.world.jobs[1]) == "Completed"


def test_a_chain_that_waits_for_a_delay_can_be_killed():
    core = two_steps(on(H.ERROR, A.RESTART_STEP, delay_ms=60_000))
    fail_b(core)
    core.verb(Verb.KILL, core.world.jobs[1])
    assert core.settled(core.world.jobs[1], core.step("load", 2), core.call("a", 2)) == (
        "Killed Canceled Canceled"
    )


def test_restart_chain_makes_a_new_chain_and_the_old_one_ends():
    core = two_steps(on(H.ERROR, A.RESTART_CHAIN))
    chain = core.world.jobs[1]
    fail_b(core)
    again = core.world.jobs[max(core.world.jobs)]
    again = core.world.jobs[again.top or again.id]
    assert core.now(chain, again) == "Error Waiting"
    assert (again.restarted_from, again.starts) == (chain.id, 1)
    core.run("a", "b")
    core.run("c")
    assert core.settled(again) == "Completed"


def test_a_restart_takes_the_definition_as_it_was_unless_it_is_told_otherwise():
    core = two_steps(on(H.ERROR, A.RESTART_STEP))
    core.put_chain(CHAIN, step("load", "z"), step("post", "c"))
    fail_b(core)
    assert {job.call for job in core.jobs_of(Role.CALL) if job.iteration == 2} == {"a", "b"}


def test_a_restart_by_the_latest_definition_takes_what_there_is_now():
    core = two_steps(on(H.ERROR, A.RESTART_STEP, latest=True))
    core.put_chain(CHAIN, step("first", "f"), step("load", "z"), step("mail", "m"))
    fail_b(core)
    assert core.now(core.step("post"), core.call("c")) == "Canceled Canceled"
    assert core.now(core.step("first"), core.step("load", 2), core.step("mail")) == (
        "Skipped Waiting Chained"
    )
    core.run("z")
    core.run("m")
    assert core.settled(core.world.jobs[1]) == "Completed"


def test_a_disabled_call_stays_off_when_its_step_runs_again():
    core = ChainDriver(
        step("one", "x"), step("load", "a", "b", handlers=(on(H.ERROR, A.RESTART_STEP),))
    )
    chain = core.start()
    core.verb(Verb.DISABLE, core.call("a"))
    core.run("x")
    core.fail("b")
    assert path(core.call("a", 2)) == "New Disabled"
    core.run("b")
    assert core.settled(chain) == "Completed"


def test_a_call_that_completed_once_need_not_run_again():
    core = ChainDriver(
        step(
            "load",
            Call("a", WORK, precondition="run_again"),
            "b",
            handlers=(on(H.ERROR, A.RESTART_STEP),),
        )
    )
    chain = core.start()
    fail_b(core)
    assert core.now(core.call("a", 2)) == "Skipped"
    core.run("b")
    assert core.settled(chain) == "Completed"
