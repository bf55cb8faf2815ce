"""`interlock chain`: a chain with its steps and calls, as a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from interlock.cli.argument import JOB
from interlock.cli.option import ClientCommand
from interlock.cli.sheet import Cell, Column, Sheet, status_cell

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from interlock.cli.invocation import Invocation
    from interlock.v1.job_pb2 import Job

_COLUMNS: Final = (
    Column("JOB", right=True),
    Column("PART", wraps=True),
    Column("STATUS"),
    Column("SINCE", right=True),
    Column("ROBOT", wraps=True),
    Column("WHY", wraps=True),
)
_INDENT: Final = "  "


@click.command(cls=ClientCommand)
@click.argument("job", type=JOB)
@click.pass_obj
def chain(invocation: Invocation, job: int) -> None:
    r"""Show a chain with its steps and calls as a tree.

    A step that ran again is there again.

    \b
    interlock chain 12                 the whole chain
    interlock chain 12 -q | xargs interlock history
    """
    from interlock.cli.job_view import job_mapping

    found = invocation.call(lambda interlock: interlock.chain(job))
    nodes = list(found.walk())
    depths = {node.job.id: depth for depth, node in nodes}
    invocation.show_many(
        [node.job.raw for _, node in nodes],
        mapping=lambda one: {**job_mapping(one), "depth": depths[one.id]},
        sheet=lambda jobs: _sheet(jobs, depths, now=invocation.now),
        key=lambda one: one.id,
    )


def _sheet(jobs: Iterable[Job], depths: dict[int, int], *, now: datetime) -> Sheet:
    from interlock.cli.instant import age
    from interlock.cli.job_view import moment, why
    from interlock.cli.status_text import status_name

    rows: list[tuple[Cell | str, ...]] = [
        (
            str(job.id),
            _INDENT * depths[job.id] + part_name(job),
            status_cell(status_name(job.status)),
            age(moment(job, "change_time"), now=now),
            Cell(job.robot, "red" if job.robot_unresponsive else ""),
            why(job, now=now),
        )
        for job in jobs
    ]
    return Sheet(_COLUMNS, rows, empty="No jobs found.")


def part_name(job: Job) -> str:
    """Return what a job is in its chain, for people."""
    run = f" (run {job.iteration})" if job.iteration > 1 else ""
    if job.call:
        return f"{job.call}: {job.definition}{run}"
    return f"step {job.step}{run}" if job.step else job.definition
