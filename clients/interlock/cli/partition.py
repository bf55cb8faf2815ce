"""`interlock partition`: namespaces of one server, each with its own revisions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from interlock.cli.option import NounGroup
from interlock.cli.sheet import Column, Sheet

if TYPE_CHECKING:
    from interlock.cli.invocation import Invocation


@click.group(cls=NounGroup)
def partition() -> None:
    """Show and create partitions."""


@partition.command("list")
@click.pass_obj
def list_partitions(invocation: Invocation) -> None:
    """List the partitions of the server."""
    invocation.show_many(
        invocation.call(lambda interlock: interlock.list_partitions()),
        mapping=lambda name: {"name": name},
        sheet=lambda names: Sheet((Column("PARTITION"),), [(name,) for name in names]),
        key=str,
    )


@partition.command("create")
@click.argument("name")
@click.pass_obj
def create(invocation: Invocation, name: str) -> None:
    """Create an empty partition."""
    invocation.call(lambda interlock: interlock.create_partition(name))
    invocation.note(f"created partition {name}; use it with --partition {name}")
