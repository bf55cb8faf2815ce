"""A server that is killed hundreds of times under traffic keeps every promise."""

from __future__ import annotations

import sys

import pytest

from tests.crash.storm import Storm, plan_of_environment

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

KILLS = 200


async def test_sigkill_storm(tmp_path, scoreboard):
    plan = plan_of_environment(KILLS)
    sys.stdout.write(f"INTERLOCK_STORM_SEED={plan.seed} INTERLOCK_STORM_KILLS={plan.kills}\n")

    found = await Storm(tmp_path, plan).run()

    scoreboard.count("storm", **found.counts, broken=len(found.broken))
    assert found.summary() == [], f"{len(found.broken)} broken promises, seed {plan.seed}"
    assert found.counts["kills"] >= plan.kills
