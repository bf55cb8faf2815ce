"""Streams of spans, against sets of numbers."""

from __future__ import annotations

from itertools import count, islice

from hypothesis import given
from hypothesis import strategies as st

from interlock_server.core.spans import Span, intersected, joined, united, without

NUMBERS = st.frozensets(st.integers(0, 30))


def spans_of(numbers):
    """The spans of a set, made without the code under test."""
    starts = sorted(number for number in numbers if number - 1 not in numbers)
    ends = sorted(number + 1 for number in numbers if number + 1 not in numbers)
    return [Span(start, end) for start, end in zip(starts, ends, strict=True)]


@given(st.lists(NUMBERS, max_size=4))
def test_united_is_the_union(sets):
    found = list(united([iter(spans_of(numbers)) for numbers in sets]))

    assert found == spans_of(frozenset().union(*sets))


@given(NUMBERS, NUMBERS)
def test_intersected_is_the_intersection(one, other):
    assert list(intersected(iter(spans_of(one)), iter(spans_of(other)))) == spans_of(one & other)


@given(NUMBERS, NUMBERS)
def test_without_is_the_difference(one, other):
    assert list(without(iter(spans_of(one)), iter(spans_of(other)))) == spans_of(one - other)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30))))
def test_joined_joins_what_touches_and_drops_what_is_empty(pairs):
    covered = {number for first, last in pairs for number in range(first, last)}

    assert list(joined(Span(*pair) for pair in sorted(pairs))) == spans_of(covered)


def test_only_what_is_read_is_taken():
    evens = (Span(number, number + 1) for number in count(0, 2))
    threes = (Span(number, number + 1) for number in count(0, 3))
    fives = (Span(number, number + 1) for number in count(0, 5))

    found = islice(without(intersected(evens, threes), fives), 4)

    assert [span.first_ms for span in found] == [6, 12, 18, 24]
