"""Sets of instants as streams of spans: half-open, sorted, disjoint and never touching.

The operations are lazy: they take from their inputs only as far as their output is read.
"""

from __future__ import annotations

from heapq import merge
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Span(NamedTuple):
    """From the first millisecond up to, not including, the last."""

    first_ms: int
    last_ms: int


def joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Join what touches or overlaps, and drop what is empty. The input is sorted by its starts."""
    pending: Span | None = None
    for span in spans:
        if span.first_ms >= span.last_ms:
            continue
        if pending is None:
            pending = span
        elif span.first_ms > pending.last_ms:
            yield pending
            pending = span
        elif span.last_ms > pending.last_ms:
            pending = Span(pending.first_ms, span.last_ms)
    if pending is not None:
        yield pending


def united(streams: Iterable[Iterable[Span]]) -> Iterator[Span]:
    """Return what is in any of the streams."""
    return joined(merge(*streams))


def intersected(left: Iterator[Span], right: Iterator[Span]) -> Iterator[Span]:
    """Return what is in both streams."""
    one, other = next(left, None), next(right, None)
    while one is not None and other is not None:
        first = max(one.first_ms, other.first_ms)
        last = min(one.last_ms, other.last_ms)
        if first < last:
            yield Span(first, last)
        if one.last_ms <= other.last_ms:
            one = next(left, None)
        else:
            other = next(right, None)


def without(stream: Iterator[Span], removed: Iterator[Span]) -> Iterator[Span]:
    """Return what is in the stream and not in the removed one."""
    gone = next(removed, None)
    for span in stream:
        first = span.first_ms
        while gone is not None and gone.first_ms < span.last_ms:
            if first < gone.first_ms:
                yield Span(first, gone.first_ms)
            first = max(first, gone.last_ms)
            if gone.last_ms >= span.last_ms:
                break
            gone = next(removed, None)
        if first < span.last_ms:
            yield Span(first, span.last_ms)
