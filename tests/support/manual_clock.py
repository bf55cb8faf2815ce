"""A clock that stands still until a test moves it."""

from __future__ import annotations

#: 2026-01-01T00:00:00Z
START_MS = 1_767_225_600_000


class ManualClock:
    """Both clocks of the machine, moved by hand."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self._now_ms = now_ms
        self._monotonic_ms = 0

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic_ms(self) -> int:
        return self._monotonic_ms

    def advance(self, *, ms: int = 0, s: float = 0) -> None:
        """Let time pass on both clocks."""
        passed_ms = ms + round(s * 1000)
        self._now_ms += passed_ms
        self._monotonic_ms += passed_ms

    def jump(self, *, ms: int) -> None:
        """Set the wall clock as an administrator would; no time passes."""
        self._now_ms += ms
