"""Open sessions of robots: what each robot still has to be told, and when it was last heard.

World knows what a session means; this knows the streams. Offers and orders come here when they are
durable and wait in the outbox of their stream. Orders are said again with every heartbeat until
they are acknowledged.
"""

from __future__ import annotations

from interlock_server.sessions.outgoing import Ack, End, Offer, Order, Outgoing, RefusedReport
from interlock_server.sessions.registry import Sessions
from interlock_server.sessions.stream import SessionStream

__all__ = [
    "Ack",
    "End",
    "Offer",
    "Order",
    "Outgoing",
    "RefusedReport",
    "SessionStream",
    "Sessions",
]
