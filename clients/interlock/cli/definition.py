"""`interlock definition`: what jobs run."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from interlock.cli.argument import DURATION, LABEL, read_file
from interlock.cli.option import NounGroup

if TYPE_CHECKING:
    from interlock import Interlock
    from interlock.cli.invocation import Invocation
    from interlock.cli.sheet import Sheet

#: Fields that only the server sets.
_OUTPUT_ONLY: Final = ("version", "update_time")
#: How the options of the keep rule begin.
_KEEP: Final = "keep_"
_TYPES: Final = ("string", "number", "integer", "boolean", "object", "array")


@click.group(cls=NounGroup)
def definition() -> None:
    """Show and change definitions: what jobs run."""


@definition.command("list")
@click.pass_obj
def list_definitions(invocation: Invocation) -> None:
    """List definitions by name."""
    _show(invocation, invocation.call(lambda interlock: interlock.list_definitions()))


@definition.command("put")
@click.argument("name", required=False)
@click.option("--lifecycle", type=click.Choice(["uipath", "redwood"]), help="Of every job of it.")
@click.option("--description", help="Free text for people.")
@click.option("--queue", help="Queue of its jobs unless they name another.")
@click.option("--priority", type=click.IntRange(1, 100), help="Priority of its jobs.")
@click.option("--parameter", "parameters", multiple=True, help="NAME, NAME:TYPE; a ! requires it.")
@click.option("-l", "--label", "labels", type=LABEL, multiple=True, help="Given to every job.")
@click.option("--foreground/--no-foreground", default=None, help="One per robot (UiPath).")
@click.option(
    "--on-robot-loss", type=click.Choice(["wait", "fault", "rerun"]), help="Policy (UiPath)."
)
@click.option("--return-code-map", help='Codes that mean Completed, such as "0,40-90" (Redwood).')
@click.option(
    "--completion", type=click.Choice(["default", "external"]), help="Who ends a job (Redwood)."
)
@click.option("--hold-on-submit/--no-hold-on-submit", default=None, help="Hold new jobs (Redwood).")
@click.option("--uncertain-timeout", type=DURATION, help="Until Unknown (Redwood).")
@click.option(
    "--message-on-failure/--no-message-on-failure", default=None, help="Ask operators (Redwood)."
)
@click.option(
    "--recording", type=click.Choice(["off", "failed", "all"]), help="Of unattended jobs."
)
@click.option("--keep-count", type=click.IntRange(0), help="Newest final jobs that stay; 0: any.")
@click.option("--keep-age", type=DURATION, help="How long final jobs stay, such as 30d; 0: any.")
@click.option("--keep-status", "keep_statuses", multiple=True, help="Only these are deleted.")
@click.option("--keep-force/--no-keep-force", default=None, help="Calls do not follow their chain.")
@click.option("--file", "file", help="JSON as `definition list -o json` writes it; - for stdin.")
@click.option("--replace", is_flag=True, help="Write what is not given back to its default.")
@click.pass_obj
def put(
    invocation: Invocation, /, *, name: str | None, file: str | None, replace: bool, **given: Any
) -> None:
    r"""Create a definition, or change what is given of it.

    \b
    interlock definition put DailyReport --lifecycle uipath --parameter month:string!
    interlock definition put --file definitions.json
    """
    changes = {key: value for key, value in given.items() if value not in {None, ()}}
    if file is not None:
        if name or changes:
            raise click.UsageError("expected either --file or NAME with options, but got both.")
        whole = _read_definitions(file)
        _show(invocation, invocation.call(lambda interlock: _write(interlock, whole)))
        return
    if not name:
        raise click.UsageError("expected the NAME of the definition, or --file.")
    fields = _read_changes(changes)

    async def work(interlock: Interlock) -> Any:
        base: dict[str, Any] = {"name": name}
        if not replace:
            base |= await _kept(interlock, name)
        if not (base | fields).get("lifecycle"):
            raise click.UsageError(
                f"expected --lifecycle uipath or redwood for the new definition {name!r}."
            )
        return await _write(interlock, [base | fields | _keep(base, changes)])

    _show(invocation, invocation.call(work))


def _keep(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return the keep rule with what is given of it, if anything is."""
    given = {
        key.removeprefix(_KEEP): value for key, value in changes.items() if key.startswith(_KEEP)
    }
    if not given:
        return {}
    kept = {**(base.get("keep") or {}), **given}
    return {"keep": {key: value for key, value in kept.items() if value}}


async def _write(interlock: Interlock, definitions: list[dict[str, Any]]) -> Any:
    try:
        return await interlock.put_definitions(definitions)
    except ValueError as error:  # not refused by the server: never sent
        raise click.UsageError(f"{str(error).rstrip('.')}.") from None
    except TypeError as error:
        raise click.UsageError(
            f"expected each field with the type that `interlock definition list -o json` shows, "
            f"but {error}."
        ) from None


async def _kept(interlock: Interlock, name: str) -> dict[str, Any]:
    from interlock.cli.proto_mapping import to_mapping

    for each in await interlock.list_definitions():
        if each.name == name:
            return _writable(to_mapping(each.raw))
    return {}


def _writable(mapping: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in _OUTPUT_ONLY and value}


def _read_definitions(file: str) -> list[dict[str, Any]]:
    try:
        document = json.loads(sys.stdin.read() if file == "-" else read_file(file))
    except ValueError as error:
        raise click.UsageError(f"expected JSON in {file}, but {error}.") from None
    found = document if isinstance(document, list) else [document]
    if not found or not all(isinstance(each, dict) and each.get("name") for each in found):
        raise click.UsageError(
            f"expected a list of definitions with at least a name and a lifecycle in {file}."
        )
    return [_writable(each) for each in found]


def _read_changes(changes: dict[str, Any]) -> dict[str, Any]:
    fields = {key: value for key, value in changes.items() if not key.startswith(_KEEP)}
    if "labels" in fields:
        fields["labels"] = dict(fields["labels"])
    if "parameters" in fields:
        fields["parameters"] = [_read_parameter(text) for text in fields["parameters"]]
    return fields


def _read_parameter(text: str) -> dict[str, Any]:
    name, _, kind = text.removesuffix("!").partition(":")
    if not name or (kind and kind not in _TYPES):
        raise click.UsageError(
            f"expected NAME or NAME:TYPE with one of {', '.join(_TYPES)}, and ! if it is required, "
            f"but got {text!r}."
        )
    return {"name": name, "type": kind, "required": text.endswith("!")}


@definition.command("delete")
@click.argument("names", nargs=-1, required=True)
@click.pass_obj
def delete(invocation: Invocation, names: tuple[str, ...]) -> None:
    """Remove definitions that no live job has. All of them or none."""
    invocation.call(lambda interlock: interlock.delete_definitions(list(names)))
    invocation.note(f"deleted: {', '.join(names)}")


def _show(invocation: Invocation, definitions: Any) -> None:
    from interlock.cli.proto_mapping import to_mapping

    invocation.show_many(
        [each.raw for each in definitions],
        mapping=to_mapping,
        sheet=definition_sheet,
        key=lambda each: each.name,
    )


def definition_sheet(definitions: list[Any]) -> Sheet:
    """Return definitions as a table."""
    from interlock.cli.proto_mapping import to_mapping
    from interlock.cli.sheet import Cell, Column, Sheet

    rows: list[tuple[Cell | str, ...]] = []
    for each in definitions:
        shown = to_mapping(each)
        wanted = (f"{p.name}:{p.type or 'any'}{'!' if p.required else ''}" for p in each.parameters)
        rows.append(
            (
                each.name,
                shown["lifecycle"],
                each.queue,
                str(each.priority),
                ", ".join(wanted),
                _traits(shown),
                str(each.version),
                each.description,
            )
        )
    columns = (
        Column("DEFINITION"),
        Column("LIFECYCLE"),
        Column("QUEUE", wraps=True),
        Column("PRIORITY", right=True),
        Column("PARAMETERS", wraps=True),
        Column("BEHAVIOUR", wraps=True),
        Column("VERSION", right=True),
        Column("DESCRIPTION", wraps=True),
    )
    return Sheet(columns, rows, empty="No definitions found.")


def _traits(shown: dict[str, Any]) -> str:
    """Return what is not the default."""
    traits = [
        "foreground" if shown["foreground"] else "",
        f"on robot loss {shown['on_robot_loss']}"
        if shown["on_robot_loss"] not in {"", "wait"}
        else "",
        f"completed by {shown['return_code_map']}" if shown["return_code_map"] else "",
        "completed externally" if shown["completion"] == "external" else "",
        "held on submit" if shown["hold_on_submit"] else "",
        "message on failure" if shown["message_on_failure"] else "",
        f"records {shown['recording']}" if shown["recording"] not in {"", "off"} else "",
        _keep_text(shown["keep"]),
    ]
    return ", ".join(trait for trait in traits if trait)


def _keep_text(keep: dict[str, Any] | None) -> str:
    from datetime import timedelta

    from interlock.cli.instant import length

    if keep is None:
        return ""
    age = f"those of the last {length(timedelta(seconds=keep['age']))}" if keep["age"] else ""
    limits = [f"the newest {keep['count']}" if keep["count"] else "", age]
    told = " and ".join(limit for limit in limits if limit) or "for ever"
    only = f"; deletes only {', '.join(keep['statuses'])}" if keep["statuses"] else ""
    return f"keeps {told}{only}{'; by itself' if keep['force'] else ''}"
