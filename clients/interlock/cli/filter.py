"""The options that select jobs, the same for `list` and `watch`."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from interlock.cli.argument import JOB, LABEL, STATUS
from interlock.cli.status_text import FAILED, status_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_Function = TypeVar("_Function", bound="Callable[..., Any]")

LIFECYCLES: Final = {"uipath": 1, "redwood": 2}
STATES: Final = {"initial": 1, "pre-running": 2, "running": 3, "final": 4}

_OPTIONS: Final = (
    click.option(
        "-s", "--status", "statuses", type=STATUS, multiple=True, help="Only this status."
    ),
    click.option(
        "--state", "states", type=click.Choice(list(STATES)), multiple=True, help="Only this state."
    ),
    click.option("--failed", is_flag=True, help="Only Faulted, Error and Unknown."),
    click.option("-d", "--definition", "definitions", multiple=True, help="Only this definition."),
    click.option("--queue", "queues", multiple=True, help="Only this queue."),
    click.option("--robot", "robots", multiple=True, help="Only this robot."),
    click.option("--job", "jobs", type=JOB, multiple=True, help="Only this job."),
    click.option(
        "-l", "--label", "labels", type=LABEL, multiple=True, help="Only with this label."
    ),
    click.option(
        "--lifecycle",
        "lifecycles",
        type=click.Choice(list(LIFECYCLES)),
        multiple=True,
        help="Only this lifecycle.",
    ),
)


def filter_options(function: _Function) -> _Function:
    """Give a command the options; they arrive as keywords for `read_filter`."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def read_filter(
    *,
    statuses: Sequence[Sequence[int]],
    states: Sequence[str],
    failed: bool,
    definitions: Sequence[str],
    queues: Sequence[str],
    robots: Sequence[str],
    jobs: Sequence[int],
    labels: Sequence[tuple[str, str]],
    lifecycles: Sequence[str],
) -> dict[str, Any]:
    """Return the filter as keywords of the SDK. Options of one kind mean any of their values."""
    wanted = list(chain.from_iterable(statuses))
    if failed:
        wanted += chain.from_iterable(status_numbers(name) for name in sorted(FAILED))
    return {
        "statuses": tuple(dict.fromkeys(wanted)),
        "states": tuple(STATES[state] for state in states),
        "definitions": tuple(definitions),
        "queues": tuple(queues),
        "robots": tuple(robots),
        "jobs": tuple(jobs),
        "labels": dict(labels) or None,
        "lifecycles": tuple(LIFECYCLES[name] for name in lifecycles),
    }
