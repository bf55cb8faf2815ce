"""Commands and records of the core as the requests that a client would send for them.

Fields are matched by name, so what is added to both sides needs nothing here. What a test gives and
no field of the request can carry is a failure, never silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from google.protobuf.message_factory import GetMessageClass

from interlock_server.core import command as c
from interlock_server.core.command import Verb
from tests.support.api_methods import METHODS, Method

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message

#: Where the rpc has another name than the command.
_RPC: Final[dict[type[c.Command], str]] = {
    c.SetMaintenance: "SetRobotMaintenance",
    c.FireConditions: "FireResumeConditions",
    c.Reply: "ReplyToMessage",
}
_VERB_RPC: Final[dict[Verb, str]] = {
    Verb.SET_PRIORITY: "SetJobPriority",
    **{
        verb: f"{verb.name.title().replace('_', '')}Jobs"
        for verb in Verb
        if verb is not Verb.SET_PRIORITY
    },
}
#: Where a field of a request has another name than that of the record.
_FIELD: Final = {
    "start_when_parent_ends": "after_parent",
    "overdue_policy": "overdue",
    "time": "at_ms",
}
#: What has to be said also where it is the default of the record.
_ALWAYS: Final = frozenset({"slots", "started"})
#: What the server reads for itself; and the kind of a recurrence, which follows from its field.
_UNSAID: Final = frozenset({"archived", "kind"})
_AUTHORS: Final = ("submitted_by", "requested_by", "replied_by", "started_by")
#: These say nothing where the record has 0.
_TIMES: Final = {"google.protobuf.Timestamp", "google.protobuf.Duration"}


def method_of(command: c.Command) -> Method:
    """The rpc that makes a command."""
    if isinstance(command, c.ChangeJobs):
        name = _VERB_RPC[command.verb]
    else:
        name = _RPC.get(type(command), type(command).__name__)
    found = [method for method in METHODS.values() if method.name.endswith(f"/{name}")]
    assert found, f"no rpc makes {type(command).__name__}"
    return found[0]


def request_of(command: c.Command, author: str, reason: str) -> Message:
    """The request for a command."""
    method = method_of(command)
    fields = method.fields
    request: Any
    if isinstance(command, c.ChangeJobs):
        request = _change_request(method, command)
    else:
        request = message_of(command, method.request)
    for name in _AUTHORS:
        if name in fields:
            setattr(request, name, author)
    if reason:
        request.reason = reason
    return request  # type: ignore[no-any-return]


def _change_request(method: Method, command: c.ChangeJobs) -> Any:
    request: Any = method.request(jobs=command.jobs, expected_revision=command.expected_revision)
    match command.verb:
        case Verb.RESCHEDULE if command.value:
            request.start_time.FromMilliseconds(command.value)
        case Verb.SET_PRIORITY:
            request.priority = command.value
        case Verb.COMPLETE:
            request.failed, request.result_json = command.failed, command.result
    return request


def message_of(record: Any, kind: type[Message]) -> Any:
    """A message with what a record says; what is the default there is left out."""
    message: Any = kind()
    unsaid = dict(_said(record))
    for field in kind.DESCRIPTOR.fields:
        for name in _names(field.name):
            if name in unsaid:
                _set(message, field, unsaid.pop(name))
                break
    unsaid = {name: value for name, value in unsaid.items() if name not in _UNSAID}
    assert not unsaid, f"{kind.DESCRIPTOR.name} cannot carry {unsaid}"
    return message


def _said(record: Any) -> Iterator[tuple[str, Any]]:
    """Fields of a record that are not their defaults."""
    for info in msgspec.structs.fields(record):
        value = getattr(record, info.name)
        if info.required or info.name in _ALWAYS or value != info.default:
            yield info.name, value


def _names(field: str) -> Iterator[str]:
    """Names that a field of a message may have in a record."""
    if field in _FIELD:
        yield _FIELD[field]
    yield field
    yield f"{field}_ms"
    yield f"{field.removesuffix('_time')}_ms"
    yield field.removesuffix("_json")


def _set(message: Any, field: Any, value: Any) -> None:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        getattr(message, field.name).update(value)
    elif field.is_repeated:
        items = [_item(field, each) for each in value]
        getattr(message, field.name).extend(items)
    elif kind is not None and kind.full_name in _TIMES:
        if value:
            getattr(message, field.name).FromMilliseconds(value)
    elif kind is not None:
        if value is not None:
            getattr(message, field.name).CopyFrom(_item(field, value))
    else:
        setattr(message, field.name, value)


def _item(field: Any, value: Any) -> Any:
    if field.message_type is None:
        return value
    return message_of(value, GetMessageClass(field.message_type))
