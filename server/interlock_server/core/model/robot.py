"""A robot and its session, as the partition knows them (domain.md A6, B4)."""

from __future__ import annotations

import msgspec


class Robot(msgspec.Struct, array_like=True, gc=False):
    """One robot by name.

    The name is never its identity: `epoch` names the session, `instance` the program.
    """

    name: str
    epoch: int = 0
    instance: str = ""
    definitions: tuple[str, ...] = ()
    #: Empty for all queues.
    queues: tuple[str, ...] = ()
    slots: int = 1
    host: str = ""
    #: Its stream is open. False with `lost` False: the time to live is running.
    connected: bool = False
    #: It said goodbye, or its time to live is over.
    lost: bool = True
    #: It takes no new offers until it connects again.
    draining: bool = False
    #: A person wants it to get no new jobs.
    maintenance: bool = False
    #: Newest report batch of this instance that was decided.
    last_sequence: int = 0
    #: What of the newest batches was refused, by sequence: (index, job, reason, sentence,
    #: metadata).
    refused: dict[int, list[tuple[int, int, int, str, dict[str, str]]]] = {}
    #: The process server it belongs to; "" for none.
    server: str = ""
    #: What it offers beside what its server does.
    resources: tuple[str, ...] = ()
    #: It waits for the order to start, and runs actions when ordered to.
    actions: bool = False
