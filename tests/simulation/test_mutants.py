"""The simulation finds the bugs it is for: each is planted, and has to be found soon."""

from __future__ import annotations

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.run import live

SEEDS = range(60)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_planted_bug_is_found(monkeypatch, mutant):
    MUTANTS[mutant](monkeypatch)

    with pytest.raises(AssertionError, match=r"seed \d+ failed") as found:
        live_until_one_fails()

    assert "again: make sim SEED=" in str(found.value)


def live_until_one_fails():
    for seed in SEEDS:
        live(seed)
