"""Queues and queue providers that give nothing while their time windows are closed (B3.6, B4).

Whether they are closed is written by the clock, at every opening and closing, so that nobody who
looks for a job has to ask the calendar.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from interlock_server.core.calendar import is_open, next_change
from interlock_server.core.openings import NEVER_HORIZON_MS

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from interlock_server.core.model.process_server import ProcessServer
    from interlock_server.core.model.queue import Queue
    from interlock_server.core.turn import Turn
    from interlock_server.core.world import World


def of_queue(world: World, queue: Queue, now_ms: int) -> Queue:
    """A queue as its window has it now."""
    closed, changes_ms = _state(world, queue.window, now_ms)
    return msgspec.structs.replace(queue, closed=closed, changes_ms=changes_ms)


def of_server(world: World, server: ProcessServer, now_ms: int) -> ProcessServer:
    """A server as the windows of its providers have it now."""
    states = [_state(world, provider.window, now_ms) for provider in server.providers]
    providers = tuple(
        msgspec.structs.replace(provider, closed=closed)
        for provider, (closed, _) in zip(server.providers, states, strict=True)
    )
    changes_ms = min((at_ms for _, at_ms in states if at_ms), default=0)
    return msgspec.structs.replace(server, providers=providers, changes_ms=changes_ms)


def _state(world: World, window: str, now_ms: int) -> tuple[bool, int]:
    """Whether a window is closed, and when to look again; 0 for never."""
    if not window:
        return False, 0
    until_ms = now_ms + NEVER_HORIZON_MS  # when nothing changes for so long, it is looked again
    changes_ms = next_change(world.windows, window, now_ms, until_ms=until_ms)
    return not is_open(world.windows, window, now_ms), changes_ms or until_ms


def change_queue(world: World, turn: Turn, name: str, at_ms: int) -> None:
    """Open or close a queue at the instant that it carries."""
    queue = world.queues.get(name)
    if queue is not None and queue.changes_ms == at_ms:
        turn.put_queue(of_queue(world, queue, turn.now_ms))


def change_server(world: World, turn: Turn, name: str, at_ms: int) -> None:
    """Open or close providers of a server at the instant that it carries."""
    server = world.servers.get(name)
    if server is not None and server.changes_ms == at_ms:
        turn.put(of_server(world, server, turn.now_ms))


def follow_windows(world: World, turn: Turn, changed: AbstractSet[str]) -> None:
    """Let queues and providers follow windows that were changed, at once."""
    concerned = _with_dependents(world, changed)
    for queue in list(world.queues.values()):
        if queue.window in concerned:
            followed = of_queue(world, queue, turn.now_ms)
            if followed != queue:
                turn.put_queue(followed)
    for server in list(world.servers.values()):
        if any(provider.window in concerned for provider in server.providers):
            moved = of_server(world, server, turn.now_ms)
            if moved != server:
                turn.put(moved)


def _with_dependents(world: World, names: AbstractSet[str]) -> set[str]:
    """Windows and all that are open or closed because of them."""
    found: set[str] = set(names)
    grown = True
    while grown:
        grown = False
        for window in world.windows.values():
            refers = window.enabled_during in found or window.disabled_during in found
            if refers and window.name not in found:
                found.add(window.name)
                grown = True
    return found
