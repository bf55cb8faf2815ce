"""Bad inputs of definitions and queues."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from interlock.v1 import catalog_service_pb2 as pb
from interlock.v1.definition_pb2 import (
    Definition,
    LimitKind,
    Parameter,
    RestartAction,
    RestartBehavior,
    Rule,
    RuleEffect,
    RuntimeLimit,
)
from interlock.v1.queue_pb2 import Queue
from interlock.v1.status_pb2 import Lifecycle, Status
from tests.support.bad_inputs.by_field import BAD_TEXTS, Wrong, named
from tests.support.bad_inputs.of_jobs import BAD_LENGTHS
from tests.support.bad_inputs.row import BadInput

_HOLDS: Final = RuleEffect.RULE_EFFECT_HOLD
_MOVES: Final = RuleEffect.RULE_EFFECT_MOVE
_MAXIMUM: Final = LimitKind.LIMIT_KIND_MAXIMUM
_STOP: Final = RestartAction.RESTART_ACTION_STOP
_HELD: Final = Status.STATUS_REDWOOD_HELD
_ERROR: Final = Status.STATUS_REDWOOD_ERROR
_UIPATH: Final = Lifecycle.LIFECYCLE_UIPATH
_DEFINITION: Final[list[Wrong]] = [
    *named("name"),
    *((what, fields, why) for what, fields, why in named("queue") if fields["queue"]),
    ("no lifecycle", {"lifecycle": 0}, "UNKNOWN_STATUS"),
    ("lifecycle 9", {"lifecycle": 9}, "UNKNOWN_STATUS"),
    ("description too long", {"description": "x" * 1_025}, "INVALID_TEXT"),
    *(
        (f"description with {what}", {"description": value}, "INVALID_TEXT")
        for what, value in BAD_TEXTS
        if what != "CRLF"
    ),
    ("an unknown queue", {"queue": "nowhere"}, "QUEUE_NOT_FOUND"),
    ("an unknown process server", {"server": "nowhere"}, "SERVER_NOT_FOUND"),
    ("priority 101", {"priority": 101}, "INVALID_NUMBER"),
    ("priority -1", {"priority": -1}, "INVALID_NUMBER"),
    ("loss policy 9", {"on_robot_loss": 9}, "INVALID_FIELD"),
    ("completion 9", {"completion": 9}, "INVALID_FIELD"),
    ("return codes that are none", {"return_code_map": "x"}, "INVALID_FIELD"),
    ("return codes without 0", {"return_code_map": "5-7"}, "INVALID_FIELD"),
    ("return codes backwards", {"return_code_map": "0,7-5"}, "INVALID_FIELD"),
    ("return codes too long", {"return_code_map": "0," * 300}, "INVALID_TEXT"),
    ("a version", {"version": 1}, "READ_ONLY_FIELD"),
    ("an update_time", {"update_time": Timestamp(seconds=1)}, "READ_ONLY_FIELD"),
    ("33 labels", {"labels": {f"k{n}": "v" for n in range(33)}}, "INVALID_FIELD"),
    ("a label with NUL", {"labels": {"k": "a\0b"}}, "INVALID_TEXT"),
    *(
        (f"uncertain_timeout {what}", {"uncertain_timeout": of}, "INVALID_TIME")
        for what, of in BAD_LENGTHS
    ),
    (
        "65 parameters",
        {"parameters": [Parameter(name=f"p{n}") for n in range(65)]},
        "INVALID_PARAMETER",
    ),
    ("a parameter without a name", {"parameters": [Parameter()]}, "INVALID_PARAMETER"),
    ("a parameter twice", {"parameters": [Parameter(name="a")] * 2}, "INVALID_PARAMETER"),
    ("a type that is none", {"parameters": [Parameter(name="a", type="x")]}, "INVALID_PARAMETER"),
    (
        "a default that is no JSON",
        {"parameters": [Parameter(name="a", default_json="{")]},
        "INVALID_PARAMETER",
    ),
    ("a name with an escape", {"parameters": [Parameter(name="\x1b")]}, "INVALID_TEXT"),
    ("another lifecycle", {"name": "report", "lifecycle": _UIPATH}, "CONFLICTING_DEFINITION"),
    (
        "an action whose condition does not compile",
        {"pre_running": [Rule(when="job.prio > 1", effect=_HOLDS)]},
        "INVALID_EXPRESSION",
    ),
    (
        "an action that moves to no queue",
        {"on_change": [Rule(when="true", effect=_MOVES, target="nowhere")]},
        "QUEUE_NOT_FOUND",
    ),
    (
        "a limit that raises no event",
        {
            "runtime_limits": [
                RuntimeLimit(kind=_MAXIMUM, duration=Duration(seconds=1), event="nothing")
            ]
        },
        "EVENT_NOT_FOUND",
    ),
]
_QUEUE: Final[list[Wrong]] = [
    *named("name"),
    ("description too long", {"description": "x" * 1_025}, "INVALID_TEXT"),
    ("a very large size", {"execution_size": 1_000_001}, "INVALID_NUMBER"),
    ("held", {"held": True}, "READ_ONLY_FIELD"),
    ("held_by", {"held_by": "me"}, "READ_ONLY_FIELD"),
    ("a hold_reason", {"hold_reason": "x"}, "READ_ONLY_FIELD"),
    ("a load", {"load": 1}, "READ_ONLY_FIELD"),
    ("waiting", {"waiting": 1}, "READ_ONLY_FIELD"),
    ("a version", {"version": 1}, "READ_ONLY_FIELD"),
    ("a system queue that is none", {"name": "finance", "system": True}, "CONFLICTING_DEFINITION"),
]
#: rpc, what, name, reason
_NAMED: Final = (
    ("HoldQueue", "an unknown queue", "nowhere", "QUEUE_NOT_FOUND"),
    ("HoldQueue", "a system queue", "System", "QUEUE_IS_SYSTEM"),
    ("HoldQueue", "a held queue", "closed", "QUEUE_ALREADY_HELD"),
    ("ReleaseQueue", "an unknown queue", "nowhere", "QUEUE_NOT_FOUND"),
    ("ReleaseQueue", "an open queue", "finance", "QUEUE_NOT_HELD"),
    ("DeleteQueues", "an unknown queue", "nowhere", "QUEUE_NOT_FOUND"),
    ("DeleteQueues", "a built-in queue", "default", "IN_USE"),
    ("DeleteQueues", "a queue with jobs", "finance", "IN_USE"),
    ("DeleteQueues", "the queue of a definition", "files", "IN_USE"),
    ("DeleteQueues", "a queue that a process server serves", "served", "IN_USE"),
    ("DeleteDefinitions", "an unknown definition", "nothing", "DEFINITION_NOT_FOUND"),
    ("DeleteDefinitions", "a definition with jobs", "report", "IN_USE"),
)


def _definition(**fields: Any) -> Definition:
    return Definition(**{"name": "new", "lifecycle": Lifecycle.LIFECYCLE_REDWOOD, **fields})


def _queue(**fields: Any) -> Queue:
    return Queue(**{"name": "new", **fields})


def _path(items: str, fields: dict[str, Any], reason: str) -> str:
    from_field = reason.startswith(("INVALID", "READ", "UNKNOWN"))
    in_core = {"return_code_map", "pre_running"}  # a rule of the catalog refuses them
    if not from_field or len(fields) > 1 or not in_core.isdisjoint(fields):
        return ""
    return f"{items}[0].{next(iter(fields))}"


def _of_definitions() -> list[BadInput]:
    rpc = "CatalogService/PutDefinitions"

    def put(*definitions: Definition) -> pb.PutDefinitionsRequest:
        return pb.PutDefinitionsRequest(definitions=definitions)

    return [
        *(
            BadInput(rpc, what, put(_definition(**fields)), why, _path("definitions", fields, why))
            for what, fields, why in _DEFINITION
        ),
        BadInput(rpc, "nothing", put(), "EMPTY_BATCH", "definitions"),
        BadInput(rpc, "1,001", put(*[_definition()] * 1_001), "BATCH_TOO_LARGE", "definitions"),
        BadInput(rpc, "one twice", put(_definition(), _definition()), "DUPLICATE_TARGET"),
        BadInput(
            rpc,
            "a bad one after a good one",
            put(_definition(), _definition(name="other", queue="nowhere")),
            "QUEUE_NOT_FOUND",
        ),
    ]


def _of_queues() -> list[BadInput]:
    rpc = "CatalogService/PutQueues"

    def put(*queues: Queue) -> pb.PutQueuesRequest:
        return pb.PutQueuesRequest(queues=queues)

    return [
        *(
            BadInput(rpc, what, put(_queue(**fields)), why, _path("queues", fields, why))
            for what, fields, why in _QUEUE
        ),
        BadInput(rpc, "nothing", put(), "EMPTY_BATCH", "queues"),
        BadInput(rpc, "1,001", put(*[_queue()] * 1_001), "BATCH_TOO_LARGE", "queues"),
        BadInput(rpc, "one twice", put(_queue(), _queue()), "DUPLICATE_TARGET"),
        BadInput(
            rpc,
            "a bad one after a good one",
            put(_queue(), _queue(name="finance", system=True)),
            "CONFLICTING_DEFINITION",
        ),
    ]


def _of_names() -> list[BadInput]:
    found = []
    for verb, what, name, reason in _NAMED:
        request: Any = getattr(pb, f"{verb}Request")
        given = {"names": [name]} if verb.startswith("Delete") else {"queue": name}
        found.append(BadInput(f"CatalogService/{verb}", what, request(**given), reason))
    return found


#: what, behaviors, reason
_BEHAVIORS: Final = (
    ("no status", [RestartBehavior(action=_STOP)], "UNKNOWN_STATUS"),
    ("status 99", [RestartBehavior(status=99, action=_STOP)], "UNKNOWN_STATUS"),  # type: ignore[arg-type]
    ("a status that is not final", [RestartBehavior(status=_HELD, action=_STOP)], "INVALID_FIELD"),
    ("action 9", [RestartBehavior(status=_ERROR, action=9)], "INVALID_FIELD"),  # type: ignore[arg-type]
    ("one twice", [RestartBehavior(status=_ERROR, action=_STOP)] * 2, "DUPLICATE_TARGET"),
)


def _of_restart_defaults() -> list[BadInput]:
    rpc = "CatalogService/PutRestartDefaults"
    return [
        BadInput(rpc, what, pb.PutRestartDefaultsRequest(behaviors=behaviors), reason)
        for what, behaviors, reason in _BEHAVIORS
    ]


def of_catalog() -> list[BadInput]:
    """All of them."""
    return [*_of_definitions(), *_of_queues(), *_of_names(), *_of_restart_defaults()]
