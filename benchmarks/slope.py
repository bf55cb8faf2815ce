"""The slope of figures over time, and whether it is more than noise."""

from __future__ import annotations

from math import sqrt
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Standard errors that a slope may be away from zero.
_ERRORS: Final = 3.0
#: Change over the whole time, as a part of the mean, below which nobody cares.
_SMALL: Final = 0.02
_POINTS_MIN: Final = 3


class Slope(NamedTuple):
    """Change for each hour, how far that may be off, and the mean."""

    per_hour: float
    error: float
    mean: float
    hours: float

    @classmethod
    def fit(cls, hours: Sequence[float], figures: Sequence[float]) -> Self:
        """Fit a line by least squares; with fewer than three points there is nothing to say."""
        count = len(figures)
        if count < _POINTS_MIN:
            return cls(0.0, float("inf"), fmean(figures), 0.0)
        middle, mean = fmean(hours), fmean(figures)
        spread = sum((hour - middle) ** 2 for hour in hours)
        pairs = list(zip(hours, figures, strict=True))
        per_hour = sum((hour - middle) * (figure - mean) for hour, figure in pairs) / spread
        rest = sum((figure - mean - per_hour * (hour - middle)) ** 2 for hour, figure in pairs)
        return cls(per_hour, sqrt(rest / (count - 2) / spread), mean, hours[-1] - hours[0])

    @property
    def is_flat(self) -> bool:
        """Whether it is within the noise, or next to nothing over the whole time."""
        small = abs(self.per_hour) * self.hours <= _SMALL * abs(self.mean)
        return small or abs(self.per_hour) <= _ERRORS * self.error

    def told(self) -> dict[str, Any]:
        """Return what is written of it; no error where none is known."""
        known = self.error != float("inf")
        return {
            "mean": round(self.mean, 2),
            "per_hour": round(self.per_hour, 2),
            "error": round(self.error, 2) if known else None,
            "flat": self.is_flat,
        }

    def __str__(self) -> str:
        words = "flat" if self.is_flat else "not flat"
        return f"{self.mean:,.1f}, {self.per_hour:+,.1f} ± {self.error:,.1f} per hour: {words}"
