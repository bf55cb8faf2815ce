"""The verbs on jobs: hold, release, cancel, stop, kill, resume, fire, restart and the others.

Each takes one job or many. One job that is refused is an error; of many, each has its own outcome.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from interlock.cli.argument import INSTANT, read_file, read_job_ids
from interlock.cli.option import ClientCommand

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from interlock import Interlock
    from interlock.cli.invocation import Invocation

#: How many jobs one request may name.
_REQUEST_MAX: Final = 1_000

_JOBS_HELP: Final = "JOBS are ids, separated by spaces or commas; - reads them from standard input."


def _verb(name: str, *, help_text: str) -> Callable[[Callable[..., Any]], click.Command]:
    def decorate(function: Callable[..., Any]) -> click.Command:
        for option in (
            click.option(
                "--expected-revision", type=click.IntRange(1), help="Refuse if changed since."
            ),
            click.option("-m", "--reason", default="", help="Why; kept in the history."),
            click.argument("jobs", nargs=-1, required=True),
        ):
            function = option(function)
        text = f"{help_text}\n\n{_JOBS_HELP}"
        return click.command(name, cls=ClientCommand, help=text)(click.pass_obj(function))

    return decorate


def _act(
    invocation: Invocation,
    verb: str,
    jobs: tuple[str, ...],
    *,
    done: str,
    expected_revision: int | None,
    **keywords: Any,
) -> int:
    ids = read_job_ids(jobs)
    if expected_revision is not None and len(ids) > 1:
        raise click.UsageError("expected one job with --expected-revision, but got several.")

    async def work(interlock: Interlock) -> list[Any]:
        method = getattr(interlock, verb)
        if len(ids) == 1:
            return [await method(ids[0], expected_revision=expected_revision, **keywords)]
        outcomes: list[Any] = []
        for start in range(0, len(ids), _REQUEST_MAX):
            outcomes += await method(ids[start : start + _REQUEST_MAX], **keywords)
        return outcomes

    from interlock.cli.outcome import show_outcomes

    return show_outcomes(invocation, [each.raw for each in invocation.call(work)], done=done)


@_verb("hold", help_text="Put waiting Redwood jobs on hold.")
def hold(invocation: Invocation, jobs: tuple[str, ...], **common: Any) -> int:
    """Hold."""
    return _act(invocation, "hold", jobs, done="held", **common)


@_verb("release", help_text="Let held Redwood jobs go on.")
def release(invocation: Invocation, jobs: tuple[str, ...], **common: Any) -> int:
    """Release."""
    return _act(invocation, "release", jobs, done="released", **common)


@_verb("cancel", help_text="End Redwood jobs that have not begun.")
def cancel(invocation: Invocation, jobs: tuple[str, ...], **common: Any) -> int:
    """Cancel."""
    return _act(invocation, "cancel", jobs, done="cancel ordered", **common)


@_verb("kill", help_text="End running jobs at once.")
def kill(invocation: Invocation, jobs: tuple[str, ...], **common: Any) -> int:
    """Kill."""
    return _act(invocation, "kill", jobs, done="kill ordered", **common)


@_verb("stop", help_text="Ask UiPath jobs to end when their code allows.")
def stop(invocation: Invocation, jobs: tuple[str, ...], **common: Any) -> int:
    """Stop."""
    return _act(invocation, "stop", jobs, done="stop asked for", **common)


@_verb("resume", help_text="Let suspended UiPath jobs go on, whatever they wait for.")
def resume(invocation: Invocation, jobs: tuple[str, ...], **common: Any) -> int:
    """Resume."""
    return _act(invocation, "resume", jobs, done="resumed", **common)


@_verb("disable", help_text="Switch calls of live chains off, before their steps start.")
def disable(invocation: Invocation, jobs: tuple[str, ...], **common: Any) -> int:
    """Disable."""
    return _act(invocation, "disable", jobs, done="disabled", **common)


@_verb("enable", help_text="Switch calls of live chains on again, before their steps start.")
def enable(invocation: Invocation, jobs: tuple[str, ...], **common: Any) -> int:
    """Enable."""
    return _act(invocation, "enable", jobs, done="enabled", **common)


@click.option("--hold", is_flag=True, help="Put the new jobs on hold at once (Redwood).")
@click.option("--from-error", is_flag=True, help="Start chains at the step that they failed at.")
@click.option("--from-step", "start_at_step", default="", help="Start chains at this step.")
def _restart(
    invocation: Invocation,
    jobs: tuple[str, ...],
    *,
    hold: bool,
    from_error: bool,
    start_at_step: str,
    **common: Any,
) -> int:
    if from_error and start_at_step:
        raise click.UsageError("expected --from-error or --from-step, but got both.")
    return _act(
        invocation,
        "restart",
        jobs,
        done="created",
        hold=hold,
        from_error=from_error,
        start_at_step=start_at_step,
        **common,
    )


restart = _verb("restart", help_text="Create a new job from each final one; shows the new ids.")(
    _restart
)


@click.option("--start-time", type=INSTANT, required=True, help="RFC 3339, local time, now or +2h.")
def _reschedule(
    invocation: Invocation, jobs: tuple[str, ...], *, start_time: datetime, **common: Any
) -> int:
    return _act(invocation, "reschedule", jobs, done="rescheduled", start_time=start_time, **common)


reschedule = _verb("reschedule", help_text="Give waiting Redwood jobs another start time.")(
    _reschedule
)


@click.option(
    "--to",
    "priority",
    type=click.IntRange(1, 100),
    required=True,
    help="1 to 100, larger is sooner.",
)
def _priority(
    invocation: Invocation, jobs: tuple[str, ...], *, priority: int, **common: Any
) -> int:
    return _act(invocation, "set_priority", jobs, done="set", priority=priority, **common)


priority = _verb("priority", help_text="Change the priority of jobs that no robot has.")(_priority)


@click.option("--failed", is_flag=True, help="End as Error instead of Completed.")
@click.option("--result", default="", help="Result, a JSON value; @FILE reads a file.")
def _complete(
    invocation: Invocation, jobs: tuple[str, ...], *, failed: bool, result: str, **common: Any
) -> int:
    keywords = {"failed": failed, **_read_result(result)}
    return _act(invocation, "complete", jobs, done="completed", **keywords, **common)


complete = _verb("complete", help_text="End Redwood jobs whose end is told from outside.")(
    _complete
)


def _read_result(text: str) -> dict[str, Any]:
    import json

    if not text:
        return {}
    try:
        return {"result": json.loads(read_file(text[1:]) if text.startswith("@") else text)}
    except ValueError as error:
        raise click.UsageError(f"expected a JSON value for --result, but {error}.") from None


@click.command(cls=ClientCommand)
@click.argument("kind", type=click.Choice(["person", "item"]))
@click.argument("key")
@click.option("-m", "--reason", default="", help="Why; kept in the history.")
@click.pass_obj
def fire(invocation: Invocation, kind: str, key: str, reason: str) -> int:
    """Say that a task or item is done that UiPath jobs wait for."""
    from interlock.cli.outcome import show_outcomes

    outcomes = invocation.call(lambda interlock: interlock.fire(kind, key, reason=reason))
    if not outcomes:
        invocation.note(f"no suspended job waits for {kind} {key!r}; nothing was changed")
    return show_outcomes(invocation, [each.raw for each in outcomes], done="fired")
