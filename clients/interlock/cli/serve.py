"""`interlock serve`: hands the command line to the server, which is found by its entry point."""

from __future__ import annotations

from typing import Final

import click

from interlock.cli import exit_code
from interlock.cli.failure import CommandError

#: The group of entry points that hold commands from outside of this package.
GROUP: Final = "interlock.commands"


@click.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def serve(arguments: tuple[str, ...]) -> int:
    """Run the server (interlock serve --help shows its options)."""
    from importlib.metadata import entry_points

    found = next(iter(entry_points(group=GROUP, name="serve")), None)
    if found is None:
        raise CommandError(
            "expected a server to run, but none is installed here: no entry point "
            f"'serve' in the group {GROUP}. Install the whole package: pip install interlock",
            exit_code.FAILURE,
        )
    answer = found.load()(list(arguments))
    return answer if isinstance(answer, int) else exit_code.OK
