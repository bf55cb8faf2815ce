"""`interlock process-server`: groups of robots that take jobs of some queues, or are stopped.

`interlock serve` and `interlock status` are about the server program; these are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from interlock.cli.option import NounGroup

if TYPE_CHECKING:
    from interlock import Interlock
    from interlock.cli.invocation import Invocation
    from interlock.cli.sheet import Cell, Sheet


@click.group(cls=NounGroup)
def process_server() -> None:
    """Show, change, start and stop process servers: groups of robots."""


@process_server.command("list")
@click.pass_obj
def list_servers(invocation: Invocation) -> None:
    """List process servers: load, queues, robots, and who stopped or holds what."""
    _show(invocation, invocation.call(lambda interlock: interlock.list_servers()))


@process_server.command("put")
@click.argument("name")
@click.option(
    "--queue",
    "queues",
    multiple=True,
    metavar="QUEUE[,KEY=VALUE…]",
    help="A queue it serves; keys: size, hold-level, window. Repeat it for each; replaces all.",
)
@click.option("--resource", "resources", multiple=True, help="What it offers; replaces all.")
@click.option("--execution-size", type=click.IntRange(1), help="Jobs at once. Default: 100.")
@click.option("--description", help="Free text for people.")
@click.option("--replace", is_flag=True, help="Write what is not given back to its default.")
@click.pass_obj
def put(invocation: Invocation, /, *, name: str, replace: bool, **given: Any) -> None:
    """Create a process server, or change what is given of it."""
    changes: dict[str, Any] = {
        key: given[key] for key in ("execution_size", "description") if given[key] is not None
    }
    if given["queues"]:
        changes["providers"] = [_provider(text) for text in given["queues"]]
    if given["resources"]:
        changes["resources"] = list(given["resources"])

    async def work(interlock: Interlock) -> Any:
        fields: dict[str, Any] = {"name": name}
        if not replace:
            for each in await interlock.list_servers():
                if each.name == name:
                    kept = ("description", "providers", "resources", "execution_size")
                    fields |= {key: getattr(each, key) for key in kept}
        return await interlock.put_servers([fields | changes])

    _show(invocation, invocation.call(work))


def _provider(text: str) -> dict[str, Any]:
    """Read `QUEUE,size=2,hold-level=80,window=night`."""
    queue, *settings = text.split(",")
    provider: dict[str, Any] = {"queue": queue}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if key == "window" and equals:
            provider["window"] = value
        elif key in {"size", "hold-level"} and value.isdecimal():
            provider["execution_size" if key == "size" else "hold_level"] = int(value)
        else:
            raise click.BadParameter(
                f"expected size=NUMBER, hold-level=NUMBER or window=NAME after the queue, "
                f"but got {setting!r}",
                param_hint="--queue",
            )
    return provider


@process_server.command("start")
@click.argument("names", nargs=-1, required=True)
@click.pass_obj
def start(invocation: Invocation, names: tuple[str, ...]) -> None:
    """Let stopped process servers take jobs again. All of them or none."""
    _show(invocation, invocation.call(lambda interlock: interlock.start_servers(list(names))))


@process_server.command("stop")
@click.argument("names", nargs=-1, required=True)
@click.option("-m", "--reason", default="", help="Why; shown with the server.")
@click.option(
    "--strategy",
    type=click.Choice(["soft-stop", "kill"]),
    help="What happens to jobs that it runs. Default: they run on.",
)
@click.pass_obj
def stop(invocation: Invocation, names: tuple[str, ...], reason: str, strategy: str | None) -> None:
    """Let process servers take no more jobs. All of them or none."""
    stopped = invocation.call(
        lambda interlock: interlock.stop_servers(
            list(names),
            strategy=strategy.replace("-", "_") if strategy else None,
            reason=reason,
        )
    )
    _show(invocation, stopped)


@process_server.command("hold")
@click.argument("name")
@click.argument("queue")
@click.option("-m", "--reason", default="", help="Why; shown with the server.")
@click.pass_obj
def hold(invocation: Invocation, name: str, queue: str, reason: str) -> None:
    """Let a process server take no more jobs of one queue; others still do."""
    held = invocation.call(lambda interlock: interlock.hold_provider(name, queue, reason=reason))
    _show(invocation, [held])


@process_server.command("release")
@click.argument("name")
@click.argument("queue")
@click.pass_obj
def release(invocation: Invocation, name: str, queue: str) -> None:
    """Let a process server take jobs of a queue again."""
    _show(invocation, [invocation.call(lambda interlock: interlock.release_provider(name, queue))])


@process_server.command("delete")
@click.argument("names", nargs=-1, required=True)
@click.pass_obj
def delete(invocation: Invocation, names: tuple[str, ...]) -> None:
    """Remove process servers that nothing names any more. All of them or none."""
    invocation.call(lambda interlock: interlock.delete_servers(list(names)))
    invocation.note(f"deleted: {', '.join(names)}")


def _show(invocation: Invocation, servers: Any) -> None:
    from interlock.cli.proto_mapping import to_mapping

    invocation.show_many(
        servers, mapping=to_mapping, sheet=server_sheet, key=lambda each: each.name
    )


def server_sheet(servers: list[Any]) -> Sheet:
    """Return process servers as a table."""
    from interlock.cli.sheet import Cell, Column, Sheet

    rows: list[tuple[Cell | str, ...]] = []
    for each in servers:
        state = Cell("stopped", "bold magenta") if each.stopped else Cell("started", "green")
        if not each.stopped and not each.robots:
            state = Cell("no robot", "yellow")
        rows.append(
            (
                each.name,
                state,
                f"{each.load} / {each.execution_size}",
                ", ".join(each.robots),
                "\n".join(_providers(each)),
                ", ".join(each.resources),
                _stopped_by(each) if each.stopped else each.description,
            )
        )
    columns = (
        Column("PROCESS SERVER"),
        Column("STATUS"),
        Column("LOAD / SIZE", right=True),
        Column("ROBOTS", wraps=True),
        Column("QUEUES", wraps=True),
        Column("RESOURCES", wraps=True),
        Column("NOTE", wraps=True),
    )
    return Sheet(columns, rows, empty="No process servers found.")


def _providers(server: Any) -> list[str]:
    """Each queue, with what keeps jobs of it back now."""
    found = []
    for provider, state in zip(server.providers, server.provider_states, strict=False):
        notes = []
        if provider.execution_size:
            notes.append(f"{state.load} / {provider.execution_size}")
        if provider.hold_level:
            notes.append(f"priority {provider.hold_level} and more")
        if state.window_closed:
            notes.append(f"window {provider.window} closed")
        if state.held:
            because = f": {state.hold_reason}" if state.hold_reason else ""
            notes.append(f"held by {state.held_by or 'user'}{because}")
        found.append(provider.queue + (f" ({'; '.join(notes)})" if notes else ""))
    return found


def _stopped_by(server: Any) -> str:
    because = f": {server.stop_reason}" if server.stop_reason else ""
    return f"stopped by {server.stopped_by or 'user'}{because}"
