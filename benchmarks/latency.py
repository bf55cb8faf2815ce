"""Latencies in a histogram that is exact to a thousandth at every percentile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

from hdrh.histogram import HdrHistogram

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_US: Final = 60_000_000
_DIGITS: Final = 3
#: Percentiles that a curve is drawn through.
_CURVE: Final = (0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 100)


class Latency:
    """Times in seconds that are recorded; percentiles in milliseconds that are read."""

    def __init__(self) -> None:
        self._histogram: Any = HdrHistogram(1, _MAX_US, _DIGITS)

    def record(self, seconds: float, count: int = 1) -> None:
        """Take a time, as often as it was the same."""
        self._histogram.record_value(min(max(int(1e6 * seconds), 1), _MAX_US), count)

    def encoded(self) -> str:
        """Return it as text, for `of`."""
        text: bytes = self._histogram.encode()
        return text.decode()

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """Join what several processes or rounds have recorded."""
        joined = cls()
        for text in texts:
            joined._histogram.decode_and_add(text)
        return joined

    def __len__(self) -> int:
        count: int = self._histogram.get_total_count()
        return count

    def ms(self, percentile: float) -> float:
        """Return a percentile."""
        return float(self._histogram.get_value_at_percentile(percentile)) / 1_000

    def curve(self) -> list[tuple[float, float]]:
        """Return percentiles with their times, for a plot."""
        return [(percentile, self.ms(percentile)) for percentile in _CURVE]
