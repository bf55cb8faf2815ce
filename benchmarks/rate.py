"""What one round did, and in what time."""

from __future__ import annotations

from typing import NamedTuple


class Rate(NamedTuple):
    """Items of one round, the seconds it took, and processor seconds where they are known."""

    items: int
    seconds: float
    server_cpu_s: float = 0.0
    load_cpu_s: float = 0.0

    @property
    def per_second(self) -> float:
        """Items for each second of wall time."""
        return self.items / self.seconds

    @property
    def server_us(self) -> float:
        """Microseconds of the server's processor time for each item."""
        return 1e6 * self.server_cpu_s / self.items

    @property
    def load_us(self) -> float:
        """Microseconds of the load's processor time for each item."""
        return 1e6 * self.load_cpu_s / self.items
