"""A case of the suite: what it is called, and how it is measured."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks.bench import Place
from benchmarks.measurement import Measurement


@dataclass(frozen=True)
class Case:
    """One case; `measure` returns one measurement for each comparison."""

    name: str
    about: str
    measure: Callable[[Place], Awaitable[list[Measurement]]]
    #: Whether it is of the core that `make bench-quick` measures.
    quick: bool = False
