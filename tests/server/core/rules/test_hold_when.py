"""Jobs that a condition of their definition puts on hold when they are submitted (B3.2)."""

from __future__ import annotations

from interlock_server.core import command as c
from interlock_server.core.model.chain import Call
from interlock_server.core.model.definition import Definition
from interlock_server.core.rejection import Reason
from interlock_server.core.vocabulary.status import Lifecycle
from tests.support.chains import CHAIN, ChainDriver, path, step
from tests.support.core_driver import CoreDriver

URGENT = "job.parameters['urgent'] == true"


def test_a_job_is_held_if_the_condition_is_true():
    core = CoreDriver()
    core.define("report", Lifecycle.REDWOOD, hold_when=URGENT)
    assert path(core.submit("report", parameters='{"urgent": true}')) == "New Held"
    assert path(core.submit("report", parameters='{"urgent": false}')) == "New Scheduled Queued"


def test_a_job_of_which_it_cannot_be_told_is_invalid():
    core = CoreDriver()
    core.define("report", Lifecycle.REDWOOD, hold_when=URGENT)
    job = core.submit("report")
    assert path(job) == "New Error"
    assert job.fault is not None
    assert job.fault.code == "HOLD_FAILED"


def test_a_call_is_held_when_its_step_starts():
    core = ChainDriver()
    core.define("report", Lifecycle.REDWOOD, hold_when=URGENT)
    core.put_chain(
        CHAIN, step("load", Call("a", "report", '{"urgent": true}'), Call("b", "report"))
    )
    core.start()
    assert core.settled(core.call("a"), core.call("b")) == "Held Held"


def test_a_condition_that_does_not_compile_is_refused():
    core = CoreDriver()
    wrong = Definition("report", int(Lifecycle.REDWOOD), hold_when="job.prioritty > 5")
    assert core.take(c.PutDefinitions((wrong,))).reason is Reason.INVALID_EXPRESSION
