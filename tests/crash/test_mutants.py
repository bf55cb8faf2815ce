"""The storm finds the bugs that are planted for it, and nothing in a sound server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.crash.mutants import ENVIRONMENT, MUTANTS
from tests.crash.storm import Plan, Storm

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]

#: Which promises have to be found broken: at least one of them.
EXPECTED = {
    "ack_before_fsync": {"acknowledged"},
    "publish_before_fsync": {"durable first"},
    "read_before_fsync": {"durable first", "acknowledged"},
    "resume_off_by_one": {"contiguous", "reliable"},
    "missing_fence_check": {"fenced"},
    "lost_deduplication": {"once"},
    "torn_turn": {"atomic"},
    "forget_timer": {"final"},
    "snapshot_forgets_a_job": {"finished", "stored", "acknowledged"},
}
SHORT: dict[str, Any] = {
    "seed": 1,
    "clients": 4,
    "robots": 2,
    "watchers": 4,
    "sdk": False,
    "ghosts": 2,
    "program": ("-m", "tests.crash.mutants"),
    "keep_revisions": 1_000_000,
    "compact_every": 2,
    "inspect": True,
}


#: Where a bug needs another plan than the short one.
PLANS: dict[str, dict[str, Any]] = {
    # In each life a robot vanishes, late enough to have started something.
    "forget_timer": {"kills": 4, "ghosts": 4, "life_s": (0.4, 0.6), "heal_s": 12.0},
    # In each life a snapshot has the time to be completed.
    "snapshot_forgets_a_job": {"life_s": (0.3, 0.5), "compact_every": 1},
    # A snapshot that shows what is not durable keeps the server from starting: found, but not here.
    # Somebody has to look between the decision and its commit, in the last tenth of a second of a
    # life: so most of many clients look, and there are many short lives.
    "read_before_fsync": {
        "compact_every": 1_000,
        "clients": 12,
        "reads": 0.7,
        "life_s": (0.1, 0.3),
        "kills": 40,
    },
}


async def blow(folder, mutant, **plan):
    return await Storm(
        folder, Plan(**{**SHORT, **plan}, environment=((ENVIRONMENT, mutant),))
    ).run()


def test_every_planted_bug_has_a_promise_that_it_breaks():
    assert set(EXPECTED) == set(MUTANTS) - {"none"}


@pytest.mark.parametrize("mutant", EXPECTED)
async def test_a_planted_bug_is_found(mutant, tmp_path, scoreboard):
    found = await blow(tmp_path, mutant, **{"kills": 12, **PLANS.get(mutant, {})})

    scoreboard.count(
        "mutants", **{mutant: f"{found.counts['kills']} kills, {sorted(found.promises)}"}
    )
    assert found.promises & EXPECTED[mutant], found.summary()


async def test_nothing_is_found_in_a_sound_server(tmp_path, scoreboard):
    found = await blow(tmp_path, "none", kills=4)

    scoreboard.count("mutants", none=f"{found.counts['kills']} kills, nothing found")
    assert found.summary() == []
