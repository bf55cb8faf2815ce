"""How long jobs of a definition take: what estimates are made of (domain.md B8)."""

from __future__ import annotations

import msgspec


class RunTimes(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Run times of the jobs of a definition that completed."""

    definition: str
    count: int = 0
    #: Moving average; the newest jobs count more.
    average_ms: int = 0
