"""Whatever happens to a World, it stays whole, every job can end, and the journal tells it all."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.core_machine import CoreMachine
from tests.support.core_walk import walk

QUICK = settings(
    max_examples=30,
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def test_a_random_life_keeps_every_promise():
    run_state_machine_as_test(CoreMachine, settings=QUICK)


@pytest.mark.slow
def test_many_random_lives_keep_every_promise():
    many = settings(QUICK, max_examples=300, stateful_step_count=60)
    run_state_machine_as_test(CoreMachine, settings=many)


@pytest.mark.parametrize("seed", range(30))
def test_a_long_life_keeps_every_promise(seed):
    machine = walk(seed, 300)

    assert not machine.core.world.jobs


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 1500, 100))
def test_many_long_lives_keep_every_promise(first):
    for seed in range(first, first + 100):
        walk(seed, 300)
