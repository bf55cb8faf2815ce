"""An operator decides about a step, and chains that have ended run again (RA-3, B10, S10)."""

from __future__ import annotations

import pytest

from interlock_server.core import command as c
from interlock_server.core.command import Verb
from interlock_server.core.model.chain import Call
from interlock_server.core.model.definition import RestartAction, RestartBehavior
from interlock_server.core.model.job import Role
from interlock_server.core.rejection import Reason
from interlock_server.core.rules.restart_question import Choice
from interlock_server.core.vocabulary.status import Lifecycle, Status
from tests.support.chains import CHAIN, WORK, ChainDriver, path, step


def asking() -> ChainDriver:
    """A chain whose second step has failed, and asks."""
    core = ChainDriver(
        step("one", "x"), step("load", "a", "b"), step("post", "c"), request_restart=True
    )
    core.start()
    core.run("x")
    core.run("a")
    core.fail("b")
    return core


def answer(core: ChainDriver, choice: Choice) -> None:
    (message,) = core.step("load").messages
    core.accepted(c.Reply(message.id, choice))
    core.dispatch()


def test_a_step_that_asks_is_console_restart_and_its_chain_console():
    core = asking()
    jobs = (core.world.jobs[1], core.step("load"), core.call("b"))
    assert core.settled(*jobs) == "Console ConsoleRestart Error"
    (message,) = core.step("load").messages
    assert message.text.startswith("Choose restart option: step load of nightly ended as Error")
    assert message.choices == tuple(Choice)
    assert message.is_open


def test_the_reply_restart_and_hold_holds_the_calls_of_the_new_run():
    core = asking()
    answer(core, Choice.RESTART_AND_HOLD)
    assert (
        core.now(core.world.jobs[1], core.step("load"), core.call("b", 2)) == "Waiting Error Held"
    )

    core.verb(Verb.RELEASE, core.step("load", 2))
    core.dispatch()
    core.run("a", "b")
    core.run("c")

    scheduled = "Scheduled Queued Dispatched Assigned Running"
    assert path(core.world.jobs[1]) == f"New {scheduled} Waiting Console Waiting Completed"
    assert path(core.step("load")) == f"New Chained {scheduled} Waiting ConsoleRestart Error"
    assert path(core.call("b", 2)) == f"New Chained Held {scheduled} Completed"
    core.check_replay()


def test_the_reply_restart_failed_runs_what_failed_again():
    core = asking()
    answer(core, Choice.RESTART_FAILED)
    assert [job.call for job in core.jobs_of(Role.CALL) if job.iteration == 2] == ["b"]
    core.run("b")
    core.run("c")
    assert core.settled(core.world.jobs[1]) == "Completed"


def test_the_reply_continue_counts_the_step_as_completed():
    core = asking()
    answer(core, Choice.CONTINUE)
    assert core.now(core.step("load"), core.step("post")) == "Completed Waiting"
    core.run("c")
    assert core.settled(core.world.jobs[1]) == "Completed"


def test_the_reply_no_restart_ends_step_and_chain_as_error():
    core = asking()
    answer(core, Choice.NO_RESTART)
    jobs = (core.world.jobs[1], core.step("load"), core.step("post"), core.call("c"))
    assert core.settled(*jobs) == "Error Error Canceled Canceled"
    assert path(core.world.jobs[1]).endswith("Console Error")


def test_the_reply_restart_chain_makes_a_new_chain():
    core = asking()
    answer(core, Choice.RESTART_CHAIN)
    chain = core.world.jobs[1]
    again = next(job for job in core.world.jobs.values() if job.restarted_from == chain.id)
    assert core.settled(chain, again) == "Error Waiting"


@pytest.mark.parametrize("verb", [Verb.KILL, Verb.CANCEL])
def test_ending_the_step_that_asks_is_the_reply_no_restart(verb):
    core = asking()
    core.verb(verb, core.step("load"))
    assert core.settled(core.world.jobs[1], core.step("load")) == "Error Error"
    assert not core.world.open_messages


def test_killing_a_chain_that_asks_ends_it():
    core = asking()
    core.verb(Verb.KILL, core.world.jobs[1])
    assert core.settled(core.world.jobs[1], core.step("load")) == "Killed Error"
    assert not core.world.open_messages


def test_a_chain_that_asks_keeps_asking_through_a_restart_of_the_server():
    core = asking()
    core.restart_server()
    assert core.settled(core.world.jobs[1], core.step("load")) == "Console ConsoleRestart"


# -- chains that have ended ---------------------------------------------------------------------


def restart(core: ChainDriver, job: int, **fields: object) -> c.Outcome:
    command = c.RestartJobs((job,), core.archived, **fields)  # type: ignore[arg-type]
    (outcome,) = core.accepted(command)
    core.dispatch()
    return outcome  # type: ignore[no-any-return]


def ended() -> ChainDriver:
    """A chain that failed at its second step, where a call was off, and has left memory."""
    core = ChainDriver(step("one", "x"), step("load", "a", "b"), step("post", "c"))
    core.start()
    core.verb(Verb.DISABLE, core.call("a"))
    core.run("x")
    core.fail("b")
    core.archive()
    assert not core.world.jobs
    return core


def test_a_restarted_chain_is_made_anew_and_what_was_off_stays_off():
    core = ended()
    again = core.world.jobs[restart(core, 1).job]
    off = next(job for job in core.world.jobs.values() if job.call == "a")
    assert path(off) == "New Disabled"
    core.run("x")
    core.run("b")
    core.run("c")
    assert core.settled(again, off) == "Completed Disabled"


@pytest.mark.parametrize("fields", [{"from_error": True}, {"start_at_step": "load"}])
def test_a_restart_from_the_step_that_failed_skips_what_went_before(fields):
    core = ended()
    again = core.world.jobs[restart(core, 1, **fields).job]
    skipped = [job for job in core.world.jobs.values() if job.status == Status.REDWOOD_SKIPPED]
    assert [job.call or job.step for job in skipped] == ["one", "x"]
    core.run("b")
    core.run("c")
    assert core.settled(again) == "Completed"


def test_a_step_is_not_restarted_on_its_own():
    core = ended()
    step_job = next(job for job in core.archived.values() if job.role is Role.STEP)
    outcome = restart(core, step_job.id)
    assert outcome.rejection is not None
    assert outcome.rejection.reason is Reason.ILLEGAL_TRANSITION


def test_a_call_of_a_chain_that_is_over_is_restarted_on_its_own():
    core = ended()
    call = next(job for job in core.archived.values() if job.call == "b")
    again = core.world.jobs[restart(core, call.id).job]
    assert (again.role, again.parent) == (Role.PLAIN, 0)


def test_a_failed_call_that_is_restarted_in_time_counts_in_its_step():
    core = ChainDriver(step("load", "a", "b"))
    chain = core.start()
    core.fail("b")
    again = core.world.jobs[restart(core, core.call("b").id).job]
    core.run("a", again)
    assert core.settled(chain, core.call("b"), again) == "Completed Error Completed"


def test_the_restart_behavior_of_a_called_definition_counts_in_its_step():
    core = ChainDriver()
    behavior = RestartBehavior(int(Status.REDWOOD_ERROR), RestartAction.RESTART)
    core.define("shaky", Lifecycle.REDWOOD, restart_behaviors=(behavior,), starts_max=1)
    core.put_chain(CHAIN, step("load", Call("a", "shaky"), "b"))
    core.connect("robot-1", WORK, "shaky")
    chain = core.start()
    core.run("b")
    core.fail("a")
    assert core.now(chain, core.step("load")) == "Waiting Waiting"
    core.run("a")
    assert core.settled(chain) == "Completed"


def test_a_chain_restarts_from_its_error_by_its_behavior():
    core = ChainDriver()
    behavior = RestartBehavior(int(Status.REDWOOD_ERROR), RestartAction.RESTART_FROM_ERROR)
    core.put_chain(
        CHAIN, step("one", "x"), step("load", "a"), restart_behaviors=(behavior,), starts_max=1
    )
    chain = core.start()
    core.run("x")
    core.fail("a")
    again = next(job for job in core.world.jobs.values() if job.restarted_from == chain.id)
    core.run("a")
    assert core.settled(chain, again) == "Error Completed"
