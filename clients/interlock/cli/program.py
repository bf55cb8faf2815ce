"""The program `interlock`: its commands, loaded when they are used, and how a run of it ends.

Every way to end has one exit code (`exit_code`) and at most a few sentences on stderr.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import click

from interlock.cli import exit_code
from interlock.cli.invocation import Invocation
from interlock.cli.option import common_options, split_options, write_section

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Command -> module below interlock.cli and the name in it, by section of the help.
SECTIONS: Final = {
    "Jobs": {
        "submit": "submit:submit",
        "list": "job:list_jobs",
        "get": "job:get",
        "history": "job:history",
        "chain": "chain:chain",
        "explain": "explain:explain",
        "wait": "wait:wait",
        "hold": "verb:hold",
        "release": "verb:release",
        "cancel": "verb:cancel",
        "stop": "verb:stop",
        "kill": "verb:kill",
        "resume": "verb:resume",
        "fire": "verb:fire",
        "restart": "verb:restart",
        "disable": "verb:disable",
        "enable": "verb:enable",
        "edit": "edit:edit",
        "reschedule": "verb:reschedule",
        "priority": "verb:priority",
        "complete": "verb:complete",
    },
    "Watching": {"watch": "watch:watch"},
    "Operator messages": {
        "messages": "operator_message:messages",
        "reply": "operator_message:reply",
    },
    "Recordings": {"media": "media:media"},
    "What jobs need": {
        "apply": "apply:apply",
        "export": "apply:export",
        "definition": "definition:definition",
        "queue": "queue:queue",
        "restart-default": "restart_default:restart_default",
        "process-server": "process_server:process_server",
        "event": "named_event:event",
        "lock": "lock:lock",
        "window": "window:window",
        "schedule": "schedule:schedule",
        "robot": "robot:robot",
        "lifecycle": "lifecycle:lifecycle",
    },
    "Server": {
        "serve": "serve:serve",
        "health": "health:health",
        "status": "server:status",
        "verify": "server:verify",
        "backup": "server:backup",
        "compact": "server:compact",
        "partition": "partition:partition",
    },
    "This program": {
        "config": "config:config",
        "completion": "completion:completion",
    },
}
_PLACES: Final = {name: place for group in SECTIONS.values() for name, place in group.items()}
#: Short names, which the help does not list.
ALIASES: Final = {"ps": "process-server"}


class _OutputClosedError(Exception):
    """Whoever read the output went away."""


class Program(click.Group):
    """The root: knows all commands by name, imports those that are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order of the help."""
        return list(_PLACES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        place = _PLACES.get(ALIASES.get(cmd_name, cmd_name))
        if place is None:
            return None
        module, _, name = place.partition(":")
        command = getattr(import_module(f"interlock.cli.{module}"), name)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # click would end the process by itself, with an exit code of its own
            raise _OutputClosedError from None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Say which commands are like the one that does not exist."""
        known = args and (args[0] in _PLACES or args[0] in ALIASES)
        if args and not known and not args[0].startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(args[0], _PLACES, n=3)
            hint = f"Did you mean {' or '.join(close)}?" if close else "See interlock --help."
            ctx.fail(f"expected a command, but there is no {args[0]!r}. {hint}")
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by section, then the options."""
        for heading, places in SECTIONS.items():
            commands = [(name, self.get_command(ctx, name)) for name in places]
            with formatter.section(heading):
                formatter.write_dl(
                    [
                        (name, command.get_short_help_str(70))
                        for name, command in commands
                        if command
                    ]
                )
        own, shared = split_options(self.get_params(ctx))
        write_section(ctx, formatter, "Options (also after the command)", [*shared, *own])


def _print_version(context: click.Context, parameter: click.Parameter, value: Any) -> None:  # noqa: ARG001
    if not value or context.resilient_parsing:
        return
    from importlib.metadata import version

    click.echo(f"interlock {version('interlock')}")
    context.exit()


_VERSION: Final = click.Option(
    ["--version"],
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)

PROGRAM: Final = Program(
    name="interlock",
    help="Submit jobs, see what they do and why, and act on them.",
    epilog=exit_code.EPILOG,
    params=[*common_options(), _VERSION],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def run(arguments: Sequence[str], invocation: Invocation | None = None) -> int:
    """Run one command line and return its exit code. Nothing but a bug raises."""
    _be_printable()
    told = invocation or Invocation()
    try:
        return _run(list(arguments), told)
    except (click.Abort, KeyboardInterrupt):
        return exit_code.INTERRUPTED
    except click.ClickException as error:
        _show_usage(error)
        return error.exit_code
    except (BrokenPipeError, _OutputClosedError):
        _give_up_output()
        return exit_code.OUTPUT_CLOSED


def _run(arguments: list[str], invocation: Invocation) -> int:
    from interlock.cli.failure import CommandError, failures

    try:
        with failures(invocation):
            answer = PROGRAM.main(
                arguments, prog_name="interlock", standalone_mode=False, obj=invocation
            )
            sys.stdout.flush()
    except CommandError as failure:
        click.echo(f"interlock: {failure}", err=True)
        return failure.exit_code
    return answer if isinstance(answer, int) else exit_code.OK


def _show_usage(error: click.ClickException) -> None:
    context = getattr(error, "ctx", None)
    click.echo(f"interlock: {error.format_message()}", err=True)
    if isinstance(error, click.UsageError) and context is not None:
        click.echo(f"See: {context.command_path} --help", err=True)


def _be_printable() -> None:
    # A terminal that cannot show a character shows an escape; nobody loses an answer over it.
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _give_up_output() -> None:
    # Python flushes stdout when it ends, and would complain about the closed pipe once more.
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, sys.stdout.fileno())
    except (OSError, ValueError):
        return
    finally:
        os.close(nothing)
