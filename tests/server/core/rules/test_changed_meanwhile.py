"""What a definition promised when a job was offered may be gone when its robot answers."""

from __future__ import annotations

from interlock_server.core.command import ReportKind
from interlock_server.core.model.definition import Rule, RuleEffect
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.status import Lifecycle, Status
from interlock_server.sessions.outgoing import standing_orders
from tests.support.core_driver import REDWOOD, CoreDriver


def test_a_robot_that_waits_for_an_action_that_is_gone_is_told_to_start():
    core = CoreDriver()
    core.define(REDWOOD, Lifecycle.REDWOOD, pre_running=(Rule("false", RuleEffect.HOLD),))
    core.connect(actions=True)
    job = core.submit()
    core.dispatch()
    core.define(REDWOOD, Lifecycle.REDWOOD)

    core.report(ReportKind.ACCEPTED, job)

    assert core.told(job)[-1] == EffectKind.START
    assert [order.kind for order in standing_orders(core.world, "robot-1")] == [EffectKind.START]
    core.report(ReportKind.STARTED, job)
    assert job.status == Status.REDWOOD_RUNNING
    assert standing_orders(core.world, "robot-1") == []


def test_a_job_that_is_never_and_is_held_by_its_action_is_never_no_more():
    core = CoreDriver()
    held = Rule("new_status == 'Never'", RuleEffect.HOLD)
    core.define(REDWOOD, Lifecycle.REDWOOD, on_change=(held,))

    job = core.submit(start_ms=core.now_ms + 3 * 366 * 24 * 3_600_000)

    assert job.status == Status.REDWOOD_HELD
    core.check_replay()


def test_the_order_to_start_stands_although_the_definition_has_lost_its_action_since():
    core = CoreDriver()
    core.define(REDWOOD, Lifecycle.REDWOOD, pre_running=(Rule("false", RuleEffect.HOLD),))
    core.connect("robot-1", REDWOOD, actions=True)
    job = core.submit()
    core.dispatch()
    core.report(ReportKind.ACCEPTED, job)  # the rules let it go, and the order is lost
    assert job.status == Status.REDWOOD_RUNNING

    core.define(REDWOOD, Lifecycle.REDWOOD)

    assert [order.kind for order in standing_orders(core.world, "robot-1")] == [EffectKind.START]
