"""Filters of jobs and of changes, made from keywords."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlock.status import lifecycle_number, state_number, status_numbers
from interlock.v1.filter_pb2 import Filter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def make_filter(
    *,
    lifecycles: Iterable[str | int] = (),
    statuses: Iterable[str | int] = (),
    states: Iterable[str | int] = (),
    definitions: Iterable[str] = (),
    queues: Iterable[str] = (),
    robots: Iterable[str] = (),
    jobs: Iterable[int] = (),
    labels: Mapping[str, str] | None = None,
    open_message: bool = False,
    chains: Iterable[int] = (),
) -> Filter:
    """Return the filter. Keywords are combined with AND, the values of one with OR."""
    for name, given in (("definitions", definitions), ("queues", queues), ("robots", robots)):
        if isinstance(given, str):
            raise TypeError(f"expected {name} as a list of names, but got the text {given!r}")
    return Filter(
        lifecycles=[lifecycle_number(each) for each in lifecycles],
        statuses=status_numbers(statuses),
        states=[state_number(each) for each in states],
        definitions=definitions,
        queues=queues,
        robots=robots,
        jobs=jobs,
        labels=labels or {},
        open_message=open_message,
        chains=chains,
    )
