"""Which return codes mean Completed (domain.md B8)."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=4096)
def parse(text: str) -> tuple[tuple[float, float], ...]:
    """Read a map such as "-5,40-90,100-" into ranges, ends included. "" means only 0.

    Raises:
        ValueError: a part is neither a number nor a range; the sentence names it.
    """
    if not text.strip():
        return ((0, 0),)
    return tuple(_range(part.strip()) for part in text.split(","))


def _range(part: str) -> tuple[float, float]:
    # A leading dash is a sign only in front of a whole part that is no range: "-5" means up to 5.
    low, dash, high = part.partition("-")
    try:
        if not dash:
            return int(part), int(part)
        start = int(low) if low.strip() else float("-inf")
        end = int(high) if high.strip() else float("inf")
    except ValueError:
        msg = (
            f"{part!r} is no return code and no range; expected parts such as 0, -5, 40-90 or 100-"
        )
        raise ValueError(msg) from None
    if start > end or part == "-":
        msg = f"range {part!r} is empty; expected the smaller number first"
        raise ValueError(msg)
    return start, end


def means_completed(text: str, code: int) -> bool:
    """Whether a return code means Completed under this map."""
    return any(low <= code <= high for low, high in parse(text))
