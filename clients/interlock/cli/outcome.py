"""What became of the jobs that a verb named: shown job by job, and added up to an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from interlock.cli import exit_code
from interlock.cli.failure import code_of_reason, refusal_text
from interlock.cli.proto_mapping import to_mapping
from interlock.cli.sheet import Cell, Column, Sheet, status_cell
from interlock.cli.status_text import status_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlock.cli.invocation import Invocation
    from interlock.v1.job_outcome_pb2 import JobOutcome


def show_outcomes(invocation: Invocation, outcomes: Sequence[JobOutcome], *, done: str) -> int:
    """Write the outcomes and return the exit code; `done` is the word for having worked."""
    if invocation.quiet and not invocation.output_was_chosen:
        outcomes_to_show = [each for each in outcomes if not each.HasField("refusal")]
        _warn(outcomes)
    else:
        outcomes_to_show = list(outcomes)
    invocation.show_many(
        outcomes_to_show,
        mapping=to_mapping,
        sheet=lambda shown: _sheet(shown, done=done),
        key=lambda outcome: outcome.job,
    )
    return code_of(outcomes)


def code_of(outcomes: Sequence[JobOutcome]) -> int:
    """Return OK if all worked, the common code if all were refused alike, FAILURE otherwise."""
    codes = {
        code_of_reason(each.refusal.reason) if each.HasField("refusal") else exit_code.OK
        for each in outcomes
    }
    return codes.pop() if len(codes) == 1 else exit_code.FAILURE if codes else exit_code.OK


def _warn(outcomes: Sequence[JobOutcome]) -> None:
    for each in outcomes:
        if each.HasField("refusal"):
            click.echo(f"interlock: job {each.job}: {refusal_line(each.refusal)}", err=True)


def refusal_line(refusal: Any) -> str:
    """Return a refusal as one sentence or two."""
    return refusal_text(refusal.reason, refusal.message, refusal.metadata)


def _sheet(outcomes: Sequence[JobOutcome], *, done: str) -> Sheet:
    rows = [_row(each, done=done) for each in outcomes]
    return Sheet(
        (Column("JOB", right=True), Column("STATUS"), Column("OUTCOME", wraps=True)), rows, empty=""
    )


def _row(outcome: JobOutcome, *, done: str) -> tuple[Cell | str, ...]:
    if outcome.HasField("refusal"):
        told = Cell(refusal_line(outcome.refusal), "red")
    else:
        told = Cell("already so" if outcome.unchanged else done)
    status = status_cell(status_name(outcome.status))
    return str(outcome.job) if outcome.job else "-", status, told
