"""Bad inputs of named events and locks, and of what definitions say about them."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp

from interlock.v1 import catalog_service_pb2 as catalog
from interlock.v1 import lock_service_pb2 as locks
from interlock.v1 import named_event_service_pb2 as events
from interlock.v1.definition_pb2 import Definition, EventRaise, LockNeed, WaitEvent
from interlock.v1.lock_pb2 import Lock, LockHolder, LockKind
from interlock.v1.named_event_pb2 import NamedEvent, Raise
from interlock.v1.status_pb2 import Lifecycle, Status
from tests.support.bad_inputs.by_field import Wrong, named
from tests.support.bad_inputs.row import BadInput

_COMPLETED: Final = Status.STATUS_REDWOOD_COMPLETED
_WRITTEN: Final[list[Wrong]] = [
    *named("name"),
    ("description too long", {"description": "x" * 1_025}, "INVALID_TEXT"),
    ("a version", {"version": 1}, "READ_ONLY_FIELD"),
    ("an update_time", {"update_time": Timestamp(seconds=1)}, "READ_ONLY_FIELD"),
    ("waiting", {"waiting": 1}, "READ_ONLY_FIELD"),
]
_EVENT: Final[list[Wrong]] = [
    *_WRITTEN,
    ("raised", {"raised": True}, "READ_ONLY_FIELD"),
    ("a raise_count", {"raise_count": 1}, "READ_ONLY_FIELD"),
    ("raises", {"raises": [Raise(by="me")]}, "READ_ONLY_FIELD"),
    ("dropped", {"dropped": 1}, "READ_ONLY_FIELD"),
]
_LOCK: Final[list[Wrong]] = [
    *_WRITTEN,
    ("kind 9", {"kind": 9}, "INVALID_FIELD"),
    ("two counts of a simple lock", {"counts": 2}, "INVALID_FIELD"),
    (
        "very many counts",
        {"kind": LockKind.LOCK_KIND_COUNTED, "counts": 1_000_001},
        "INVALID_NUMBER",
    ),
    ("held", {"held": 1}, "READ_ONLY_FIELD"),
    ("a holder_count", {"holder_count": 1}, "READ_ONLY_FIELD"),
    ("holders", {"holders": [LockHolder(job=1)]}, "READ_ONLY_FIELD"),
]
#: rpc, what, event, reason
_ONE: Final = (
    ("RaiseEvent", "an unknown event", "NOWHERE", "EVENT_NOT_FOUND"),
    ("RaiseEvent", "no event", "", "INVALID_NAME"),
    ("RaiseEvent", "one that nobody clears", "FULL", "TOO_LARGE"),
    ("ClearEvent", "an unknown event", "NOWHERE", "EVENT_NOT_FOUND"),
    ("ClearEvent", "no event", "", "INVALID_NAME"),
    ("ClearEvent", "one that is not raised", "EMPTY", "EVENT_NOT_RAISED"),
)
#: what, fields of a definition, reason
_DEFINITION: Final[list[Wrong]] = [
    ("a wait for nothing", {"wait_events": [WaitEvent(event="NOWHERE")]}, "EVENT_NOT_FOUND"),
    (
        "a wait in no window",
        {"wait_events": [WaitEvent(event="EMPTY", window="nowhere")]},
        "WINDOW_NOT_FOUND",
    ),
    (
        "a wait by no expression",
        {"wait_events": [WaitEvent(event="EMPTY", condition="job.prioritty > 1")]},
        "INVALID_EXPRESSION",
    ),
    (
        "a raise of nothing",
        {"event_raises": [EventRaise(event="NOWHERE", statuses=[_COMPLETED])]},
        "EVENT_NOT_FOUND",
    ),
    (
        "a raise by no return codes",
        {"event_raises": [EventRaise(event="EMPTY", statuses=[_COMPLETED], return_codes="x")]},
        "INVALID_FIELD",
    ),
    ("overdue to nobody", {"overdue_event": "NOWHERE"}, "EVENT_NOT_FOUND"),
    ("a lock that is none", {"locks": [LockNeed(lock="nothing")]}, "LOCK_NOT_FOUND"),
    (
        "more of a lock than there is",
        {"locks": [LockNeed(lock="empty", counts=2)]},
        "INVALID_FIELD",
    ),
    (
        "a simple lock exclusively",
        {"locks": [LockNeed(lock="empty", exclusive=True)]},
        "INVALID_FIELD",
    ),
    ("a lock twice", {"locks": [LockNeed(lock="empty")] * 2}, "INVALID_FIELD"),
]


def _batches(rpc: str, request: Any, field: str, one: Any) -> list[BadInput]:
    def put(*items: Any) -> Any:
        return request(**{field: items})

    return [
        BadInput(rpc, "nothing", put(), "EMPTY_BATCH", field),
        BadInput(rpc, "1,001", put(*[one] * 1_001), "BATCH_TOO_LARGE", field),
        BadInput(rpc, "one twice", put(one, one), "DUPLICATE_TARGET"),
    ]


def _of_events() -> list[BadInput]:
    put, delete = "NamedEventService/PutEvents", "NamedEventService/DeleteEvents"
    found = [
        BadInput(
            put,
            what,
            events.PutEventsRequest(events=[NamedEvent(**{"name": "new", **fields})]),
            why,
        )
        for what, fields, why in _EVENT
    ]
    found += _batches(put, events.PutEventsRequest, "events", NamedEvent(name="new"))
    for what, name, why in (
        ("an unknown event", "NOWHERE", "EVENT_NOT_FOUND"),
        ("the event of a definition", "AWAITED", "IN_USE"),
    ):
        found.append(BadInput(delete, what, events.DeleteEventsRequest(names=[name]), why))
    for verb, what, name, why in _ONE:
        request: Any = getattr(events, f"{verb}Request")
        found.append(BadInput(f"NamedEventService/{verb}", what, request(event=name), why))
    long = events.RaiseEventRequest(event="EMPTY", comment="x" * 1_025)
    found.append(BadInput("NamedEventService/RaiseEvent", "a long comment", long, "INVALID_TEXT"))
    return found


def _of_locks() -> list[BadInput]:
    put, delete = "LockService/PutLocks", "LockService/DeleteLocks"
    found = [
        BadInput(put, what, locks.PutLocksRequest(locks=[Lock(**{"name": "new", **fields})]), why)
        for what, fields, why in _LOCK
    ]
    found += _batches(put, locks.PutLocksRequest, "locks", Lock(name="new"))
    for what, name, why in (
        ("an unknown lock", "nothing", "LOCK_NOT_FOUND"),
        ("the lock of a definition", "needed", "IN_USE"),
    ):
        found.append(BadInput(delete, what, locks.DeleteLocksRequest(names=[name]), why))
    return found


def _of_definitions() -> list[BadInput]:
    redwood = {"name": "new", "lifecycle": Lifecycle.LIFECYCLE_REDWOOD}
    return [
        BadInput(
            "CatalogService/PutDefinitions",
            what,
            catalog.PutDefinitionsRequest(definitions=[Definition(**{**redwood, **fields})]),
            why,
        )
        for what, fields, why in _DEFINITION
    ]


def of_events() -> list[BadInput]:
    """All of them."""
    return [*_of_events(), *_of_locks(), *_of_definitions()]
