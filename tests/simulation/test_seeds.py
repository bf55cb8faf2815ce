"""Some seeds of the simulation; `make sim` lives a thousand of them."""

from __future__ import annotations

import pytest

from tests.simulation.run import live
from tests.simulation.site import BIG


@pytest.mark.parametrize("seed", range(20))
def test_a_simulated_life_keeps_every_promise_and_ends(seed):
    life = live(seed)

    assert not life.core.world.jobs


@pytest.mark.slow
def test_a_life_of_a_big_site_keeps_every_promise():
    life = live(499, BIG)

    assert not life.core.world.jobs
