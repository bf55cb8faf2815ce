"""What keeps a queue, a server or a provider from giving a job now (domain.md B3.6, B4).

Pure functions of one record and its load; `World` knows both. Dispatch and explanations ask the
same ones.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlock_server.core.model.process_server import ProcessServer, QueueProvider
    from interlock_server.core.model.queue import Queue

#: Which gate: ("", queue), (server, queue) for a provider, or (server, "").
GateKey = tuple[str, str]


class Closed(Enum):
    """Why a gate is closed."""

    #: A person holds the queue.
    QUEUE_HELD = 1
    #: The time window of the queue is closed.
    QUEUE_WINDOW = 2
    #: As many jobs of the queue are with robots as its execution size allows.
    QUEUE_FULL = 3
    #: Nobody has put the server yet.
    SERVER_MISSING = 4
    #: A person stopped the server.
    SERVER_STOPPED = 5
    #: The server has as many jobs as its execution size allows.
    SERVER_FULL = 6
    #: The server does not serve the queue.
    NO_PROVIDER = 7
    #: A person holds what the server gives to the queue.
    PROVIDER_HELD = 8
    #: The time window of the provider is closed.
    PROVIDER_WINDOW = 9
    #: The server has as many jobs of the queue as the provider allows.
    PROVIDER_FULL = 10
    #: The priority is below the hold level of the provider.
    HOLD_LEVEL = 11


def of_queue(queue: Queue, load: int) -> Closed | None:
    """What keeps a queue from giving any job; None if it may."""
    if queue.held:
        return Closed.QUEUE_HELD
    if queue.closed:
        return Closed.QUEUE_WINDOW
    if queue.execution_size and load >= queue.execution_size:
        return Closed.QUEUE_FULL
    return None


def of_server(server: ProcessServer | None, load: int) -> Closed | None:
    """What keeps a server from taking any job; None if it may."""
    if server is None:
        return Closed.SERVER_MISSING
    if server.stopped:
        return Closed.SERVER_STOPPED
    if load >= server.execution_size:
        return Closed.SERVER_FULL
    return None


def of_provider(provider: QueueProvider | None, load: int, priority: int) -> Closed | None:
    """What keeps a server from taking a job of this priority from a queue; None if it may."""
    if provider is None:
        return Closed.NO_PROVIDER
    if provider.held:
        return Closed.PROVIDER_HELD
    if provider.closed:
        return Closed.PROVIDER_WINDOW
    if provider.execution_size and load >= provider.execution_size:
        return Closed.PROVIDER_FULL
    if priority < provider.hold_level:
        return Closed.HOLD_LEVEL
    return None
