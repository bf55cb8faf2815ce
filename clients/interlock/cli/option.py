"""The options that every command has, wherever they stand: `interlock -o json list` or after it.

They are collected as text in the invocation and read when a command needs them, so that a wrong
environment does not keep `--help` from working.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import click

from interlock.cli.invocation import Invocation
from interlock.cli.settings import OUTPUTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_HEADING: Final = "Options of every command"


def _store(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is None or value is False:
        return
    invocation = context.ensure_object(Invocation)
    match parameter.name:
        case "json_output":
            invocation.flags["output"] = "json"
        case "no_color":
            invocation.flags["color"] = "never"
        case "quiet":
            invocation.quiet = True
        case name:
            invocation.flags[str(name)] = value


def common_options(outputs: Sequence[str] = OUTPUTS) -> list[click.Option]:
    """Return fresh options; later ones on the same command line win."""

    def option(*names: str, **attributes: Any) -> click.Option:
        return click.Option(names, expose_value=False, callback=_store, **attributes)

    return [
        option("--address", metavar="HOST:PORT", help="Server. Default: localhost:7350."),
        option("--partition", metavar="NAME", help="Partition. Default: default."),
        option("--user", metavar="NAME", help="Who you are, for the history."),
        option("--timeout", metavar="TIME", help="Longest wait for an answer. Default: 10s."),
        option("--config", metavar="FILE", help="Configuration file (TOML)."),
        option("-o", "--output", type=click.Choice(outputs), help="Default: table."),
        option("--json", "json_output", is_flag=True, help="Same as --output json."),
        option("-q", "--quiet", is_flag=True, help="Only ids or nothing; no notes on stderr."),
        option("--no-color", is_flag=True, help="No colours. NO_COLOR does the same."),
    ]


class ClientCommand(click.Command):
    """A command with the common options, which its help shows after its own."""

    #: What --output accepts.
    outputs: ClassVar[Sequence[str]] = OUTPUTS

    def __init__(self, *arguments: Any, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.params.extend(common_options(self.outputs))
        # docstrings are raw; click wants the control character itself before lines to keep
        self.help = self.help.replace("\\b", "\b") if self.help else None

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options first."""
        own, shared = split_options(self.get_params(ctx))
        write_section(ctx, formatter, "Options", own)
        write_section(ctx, formatter, _HEADING, shared)


class NounGroup(click.Group):
    """A noun with its verbs: `interlock queue hold`."""

    command_class = ClientCommand


def split_options(
    parameters: Iterable[click.Parameter],
) -> tuple[list[click.Parameter], list[click.Parameter]]:
    """Return a command's own options and the common ones."""
    own: list[click.Parameter] = []
    shared: list[click.Parameter] = []
    for parameter in parameters:
        (shared if parameter.callback is _store else own).append(parameter)
    return own, shared


def write_section(
    context: click.Context,
    formatter: click.HelpFormatter,
    heading: str,
    parameters: Iterable[click.Parameter],
) -> None:
    """Write one section of help, unless there is nothing in it."""
    options = [each for each in parameters if isinstance(each, click.Option)]
    records = [record for each in options if (record := each.get_help_record(context))]
    if records:
        with formatter.section(heading):
            formatter.write_dl(records)
