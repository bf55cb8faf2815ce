"""`interlock config show`: every setting of this program, and who said so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from interlock.cli.option import NounGroup
from interlock.cli.settings import SETTINGS, Settings, default_files
from interlock.cli.sheet import Column, Sheet

if TYPE_CHECKING:
    from interlock.cli.invocation import Invocation


@click.group(cls=NounGroup)
def config() -> None:
    """Show the settings of this program."""


@config.command("show")
@click.option("--origin/--no-origin", default=True, help="Say where each value comes from.")
@click.pass_obj
def show(invocation: Invocation, *, origin: bool) -> None:
    """Show each setting, where it comes from, and how to set it."""
    settings = invocation.settings
    if settings.file is None:
        places = " or ".join(str(path) for path in default_files(invocation.environ))
        invocation.note(f"no configuration file; one could be {places}")
    if invocation.output == "table":
        invocation.draw(_sheet(settings, origin=origin))
    elif invocation.output == "json":
        invocation.write_json(_mapping(settings))
    else:
        invocation.write_line(_mapping(settings))


def _sheet(settings: Settings, *, origin: bool) -> Sheet:
    rows = []
    for each in SETTINGS:
        value = settings.values[each.name]
        shown = f"{value.value:g}s" if isinstance(value.value, float) else str(value.value)
        told = (value.origin,) if origin else ()
        rows.append((each.name, shown or "-", *told, each.env, each.about))
    asked = (Column("ORIGIN", wraps=True),) if origin else ()
    return Sheet(
        (
            Column("SETTING"),
            Column("VALUE", wraps=True),
            *asked,
            Column("ENVIRONMENT"),
            Column("MEANING", wraps=True),
        ),
        rows,
    )


def _mapping(settings: Settings) -> dict[str, Any]:
    return {
        name: {"value": value.value, "origin": value.origin}
        for name, value in settings.values.items()
    }
