"""Bad inputs of process servers."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp

from interlock.v1 import process_server_service_pb2 as pb
from interlock.v1.process_server_pb2 import ProcessServer, ProviderState, QueueProvider
from tests.support.bad_inputs.by_field import Wrong, named
from tests.support.bad_inputs.row import BadInput

SERVICE: Final = "ProcessServerService"
_SERVER: Final[list[Wrong]] = [
    *named("name"),
    ("description too long", {"description": "x" * 1_025}, "INVALID_TEXT"),
    ("a very large size", {"execution_size": 100_001}, "INVALID_NUMBER"),
    ("a resource that is no name", {"resources": ["a b"]}, "INVALID_NAME"),
    ("65 resources", {"resources": [f"r{n}" for n in range(65)]}, "BATCH_TOO_LARGE"),
    ("a resource twice", {"resources": ["a", "a"]}, "DUPLICATE_TARGET"),
    ("stopped", {"stopped": True}, "READ_ONLY_FIELD"),
    ("stopped_by", {"stopped_by": "me"}, "READ_ONLY_FIELD"),
    ("a stop_reason", {"stop_reason": "x"}, "READ_ONLY_FIELD"),
    ("a load", {"load": 1}, "READ_ONLY_FIELD"),
    ("provider_states", {"provider_states": [ProviderState(queue="a")]}, "READ_ONLY_FIELD"),
    ("robots", {"robots": ["robot-1"]}, "READ_ONLY_FIELD"),
    ("a version", {"version": 1}, "READ_ONLY_FIELD"),
    ("an update_time", {"update_time": Timestamp(seconds=1)}, "READ_ONLY_FIELD"),
]
_PROVIDER: Final[list[Wrong]] = [
    *named("queue"),
    ("an unknown queue", {"queue": "nowhere"}, "QUEUE_NOT_FOUND"),
    ("an unknown window", {"window": "nowhere"}, "WINDOW_NOT_FOUND"),
    ("a window that is no name", {"window": "a b"}, "INVALID_NAME"),
    ("a very large size", {"execution_size": 1_000_001}, "INVALID_NUMBER"),
    ("hold level 101", {"hold_level": 101}, "INVALID_NUMBER"),
]
#: rpc, what, name, reason
_NAMED: Final = (
    ("DeleteServers", "an unknown server", "nowhere", "SERVER_NOT_FOUND"),
    ("StartServers", "an unknown server", "nowhere", "SERVER_NOT_FOUND"),
    ("StartServers", "a started server", "started", "ALREADY_SO"),
    ("StopServers", "an unknown server", "nowhere", "SERVER_NOT_FOUND"),
    ("StopServers", "a stopped server", "stopped", "ALREADY_SO"),
)
#: rpc, what, server, queue, reason
_HELD: Final = (
    ("HoldProvider", "an unknown server", "nowhere", "served", "SERVER_NOT_FOUND"),
    ("HoldProvider", "a queue it does not serve", "started", "files", "QUEUE_NOT_FOUND"),
    ("HoldProvider", "one that is held", "started", "closed", "ALREADY_SO"),
    ("ReleaseProvider", "an unknown server", "nowhere", "served", "SERVER_NOT_FOUND"),
    ("ReleaseProvider", "a queue it does not serve", "started", "files", "QUEUE_NOT_FOUND"),
    ("ReleaseProvider", "one that is not held", "started", "served", "ALREADY_SO"),
)


def _server(**fields: Any) -> ProcessServer:
    return ProcessServer(**{"name": "new", **fields})


def _put(*servers: ProcessServer) -> pb.PutServersRequest:
    return pb.PutServersRequest(servers=servers)


def _of_servers() -> list[BadInput]:
    rpc = f"{SERVICE}/PutServers"
    served = QueueProvider(queue="served")
    return [
        *(BadInput(rpc, what, _put(_server(**fields)), why) for what, fields, why in _SERVER),
        *(
            BadInput(
                rpc,
                f"a provider with {what}",
                _put(_server(providers=[QueueProvider(**{"queue": "served", **fields})])),
                why,
            )
            for what, fields, why in _PROVIDER
        ),
        BadInput(
            rpc, "a queue twice", _put(_server(providers=[served, served])), "DUPLICATE_TARGET"
        ),
        BadInput(
            rpc, "1,001 providers", _put(_server(providers=[served] * 1_001)), "BATCH_TOO_LARGE"
        ),
        BadInput(rpc, "nothing", _put(), "EMPTY_BATCH", "servers"),
        BadInput(rpc, "1,001", _put(*[_server()] * 1_001), "BATCH_TOO_LARGE", "servers"),
        BadInput(rpc, "one twice", _put(_server(), _server()), "DUPLICATE_TARGET"),
    ]


def of_servers() -> list[BadInput]:
    """All of them."""
    found = _of_servers()
    for verb, what, name, reason in _NAMED:
        request: Any = getattr(pb, f"{verb}Request")
        found.append(BadInput(f"{SERVICE}/{verb}", what, request(names=[name]), reason))
    for verb, what, server, queue, reason in _HELD:
        request = getattr(pb, f"{verb}Request")
        given = request(server=server, queue=queue)
        found.append(BadInput(f"{SERVICE}/{verb}", what, given, reason))
    strategy = pb.StopServersRequest(names=["started"], strategy=9)  # type: ignore[arg-type]
    found.append(BadInput(f"{SERVICE}/StopServers", "strategy 9", strategy, "INVALID_FIELD"))
    return found
