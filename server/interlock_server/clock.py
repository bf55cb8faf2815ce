"""Time, as something that is handed in. Nothing else of the server reads a clock."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What tells the time."""

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC; may jump when the machine's clock is set."""

    def monotonic_ms(self) -> int:
        """Milliseconds since some instant; never goes back. For lengths of time."""


class SystemClock:
    """The clock of the machine."""

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        """Milliseconds since some instant; never goes back."""
        return time.monotonic_ns() // 1_000_000
