"""The storage format: what the bytes of a commit, a snapshot row and an archived job are.

Old entries decode here for ever. The public part of a commit is an interlock.v1.ChangeColumns,
whose bytes watchers
are sent unchanged; everything else is msgpack of the core's records.
"""

from __future__ import annotations

from copy import copy
from sys import intern
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from interlock.v1 import event_pb2
from interlock_server.core.change import Cause, ChangeBlock, Name
from interlock_server.core.fact import Fact, FactKind
from interlock_server.core.model.definition import Definition, RestartBehavior
from interlock_server.core.model.job import PARTS, HistoryEntry, Job, packed, unpacked
from interlock_server.core.model.lock import Lock
from interlock_server.core.model.named_event import NamedEvent
from interlock_server.core.model.process_server import ProcessServer
from interlock_server.core.model.queue import Queue
from interlock_server.core.model.robot import Robot
from interlock_server.core.model.schedule import Schedule
from interlock_server.core.model.statistic import RunTimes
from interlock_server.core.model.window import TimeWindow
from interlock_server.storage import first_layout
from interlock_server.storage.first_layout import FirstLayout

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_ENCODER: Final = msgspec.msgpack.Encoder()
_FACTS: Final = msgspec.msgpack.Decoder(list[Fact])
_JOB: Final = msgspec.msgpack.Decoder(Job)
_FIRST: Final = msgspec.msgpack.Decoder(FirstLayout)
_NO_PARAMETERS: Final = "{}"
_NO_LABELS: Final[dict[str, str]] = {}

#: Key of field 1 (blocks) of ChangeColumns, length-delimited.
_BLOCK_TAG: Final = b"\x0a"


class Head(msgspec.Struct, array_like=True):
    """Everything of a World but its jobs."""

    next_job: int
    next_epoch: int
    next_message: int
    revision: int
    names: list[Name]
    definitions: list[Definition]
    queues: list[Queue]
    robots: list[Robot]
    moving_queues: dict[str, str]
    windows: list[TimeWindow] = []
    events: list[NamedEvent] = []
    locks: list[Lock] = []
    servers: list[ProcessServer] = []
    schedules: list[Schedule] = []
    run_times: list[RunTimes] = []
    restart_defaults: tuple[RestartBehavior, ...] = ()
    reviewing_starts: str = ""


# -- changes ------------------------------------------------------------------------------------


def encode_blocks(blocks: Iterable[ChangeBlock]) -> bytes:
    """Encode blocks as ChangeColumns. The encodings of several calls may be joined."""
    parts: list[bytes] = []
    for block in blocks:
        encoded = _message(block).SerializeToString()
        parts += (_BLOCK_TAG, _varint(len(encoded)), encoded)
    return b"".join(parts)


def _message(block: ChangeBlock) -> event_pb2.ChangeBlock:
    cause = block.cause
    message = event_pb2.ChangeBlock(
        first_revision=block.first_revision,
        time_ms=cause.at_ms,
        actor=cast("Any", cause.actor),  # the numbers are the same
        author=cause.author,
        reason=cause.reason,
        request_id=cause.request_id,
        jobs=block.jobs,
        transitions=bytes(block.rows),
        definitions=_shortened(block.definitions),
        queues=_shortened(block.queues),
        robots=_shortened(block.robots),
        continues=block.continues,
    )
    for index, reason in block.notes.items():
        message.notes.add(index=index, reason=reason)
    for name in block.names:
        message.names.add(kind=cast("Any", name.kind), number=name.number, name=name.name)
    return message


def _shortened(column: list[int]) -> list[int]:
    """One value holds for all where they are the same, which they are for most batches."""
    return column[:1] if column.count(column[0]) == len(column) else column


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:  # noqa: PLR2004  seven bits to a byte
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def decode_blocks(public: bytes) -> tuple[ChangeBlock, ...]:
    """Decode ChangeColumns, with its columns at full length."""
    return tuple(_block(message) for message in event_pb2.ChangeColumns.FromString(public).blocks)


def _block(message: event_pb2.ChangeBlock) -> ChangeBlock:
    cause = Cause(
        message.time_ms, message.actor, message.author, message.reason, message.request_id
    )
    block = ChangeBlock(message.first_revision, cause)
    count = len(message.jobs)
    block.jobs = list(message.jobs)
    block.rows = bytearray(message.transitions)
    block.definitions = _lengthened(list(message.definitions), count)
    block.queues = _lengthened(list(message.queues), count)
    block.robots = _lengthened(list(message.robots), count)
    block.notes = {note.index: note.reason for note in message.notes}
    block.names = [Name(name.kind, name.number, name.name) for name in message.names]
    block.continues = message.continues
    return block


def _lengthened(column: list[int], count: int) -> list[int]:
    return column if len(column) == count else column * count


# -- facts --------------------------------------------------------------------------------------


def encode_facts(facts: Sequence[Fact]) -> bytes:
    """Encode the private part of a commit."""
    return _ENCODER.encode(facts) if facts else b""


def decode_facts(private: bytes) -> list[Fact]:
    """Decode the private part of a commit; values are records again."""
    if not private:
        return []
    return [
        msgspec.structs.replace(fact, value=_VALUES.get(fact.kind, _as_it_is)(fact.value))
        for fact in _FACTS.decode(private)
    ]


def _as_it_is(value: Any) -> Any:
    return value  # of a newer release: replay says so


#: Types of the job fields that are more than a number or a text.
_FIELD_TYPES: Final[dict[str, Any]] = {
    field.name: field.type
    for record in (Job, *map(type, PARTS.values()))
    for field in msgspec.structs.fields(record)
    if field.type not in (int, str, bool) and field.name not in PARTS
}


def _fields(value: dict[str, Any]) -> dict[str, Any]:
    return {
        name: msgspec.convert(each, _FIELD_TYPES[name]) if name in _FIELD_TYPES else each
        for name, each in value.items()
    }


def _new_job(value: list[Any]) -> Job:
    if first_layout.is_list(value):
        return _shared(first_layout.job_of(msgspec.convert(value, FirstLayout)))
    return _shared(msgspec.convert(value, Job))


_VALUES: Final[dict[int, Any]] = {
    FactKind.CREATE_JOB: _new_job,
    FactKind.SET_JOB: _fields,
    FactKind.FORGET_JOB: lambda _: None,
    FactKind.PUT_DEFINITION: lambda value: msgspec.convert(value, Definition),
    FactKind.DELETE_DEFINITION: lambda _: None,
    FactKind.PUT_QUEUE: lambda value: msgspec.convert(value, Queue),
    FactKind.DELETE_QUEUE: lambda _: None,
    FactKind.MOVE_QUEUE: lambda value: value,
    FactKind.PUT_ROBOT: lambda value: msgspec.convert(value, Robot),
    FactKind.SET_SEQUENCE: lambda value: (
        value[0],
        [tuple(each) for each in value[1]],
    ),
    FactKind.DELETE_ROBOT: lambda value: value,
    FactKind.PUT_WINDOW: lambda value: msgspec.convert(value, TimeWindow),
    FactKind.PUT_EVENT: lambda value: msgspec.convert(value, NamedEvent),
    FactKind.PUT_LOCK: lambda value: msgspec.convert(value, Lock),
    FactKind.PUT_SERVER: lambda value: msgspec.convert(value, ProcessServer),
    FactKind.PUT_SCHEDULE: lambda value: msgspec.convert(value, Schedule),
    FactKind.PUT_RUN_TIMES: lambda value: msgspec.convert(value, RunTimes),
    FactKind.PUT_RESTART_DEFAULTS: lambda value: msgspec.convert(
        value, tuple[RestartBehavior, ...]
    ),
    FactKind.REVIEW_STARTS: lambda value: value,
}


# -- records ------------------------------------------------------------------------------------


def encode(record: object) -> bytes:
    """Encode a record for a snapshot or the archive."""
    return _ENCODER.encode(record)


def encode_job(job: Job) -> bytes:
    """Encode a job for a snapshot: the same bytes for the same job, packed or not."""
    return _ENCODER.encode(_with_entries(job, packed(job.entries)))


def encode_without_history(job: Job) -> bytes:
    """Encode an archived job, whose history stands beside it."""
    return _ENCODER.encode(_with_entries(job, []))


def encode_history(job: Job) -> bytes:
    """Encode the history of an archived job."""
    return packed(job.entries)


def _with_entries(job: Job, entries: list[HistoryEntry] | bytes) -> Job:
    if entries is job.entries:
        return job
    found = copy(job)
    found.entries = entries
    return found


def decode_job(payload: bytes) -> Job:
    """Decode a job from a snapshot or the archive."""
    if first_layout.is_encoded(payload):
        return _shared(first_layout.job_of(_FIRST.decode(payload)))
    return _shared(_JOB.decode(payload))


def _shared(job: Job) -> Job:
    """Let a million jobs share what they have in common."""
    job.definition = intern(job.definition)
    job.queue = intern(job.queue)
    job.submitted_by = intern(job.submitted_by)
    if job.robot:
        job.robot = intern(job.robot)
        job.process_server = intern(job.process_server)
    if job.requested_robot:
        job.requested_robot = intern(job.requested_robot)
    if job.parameters == _NO_PARAMETERS:
        job.parameters = _NO_PARAMETERS
    if not job.labels:
        job.labels = _NO_LABELS
    return job


def decode_history(payload: bytes) -> list[HistoryEntry]:
    """Decode the history of an archived job, or a spilled part of one."""
    return unpacked(payload) if payload else []


def decode_head(payload: bytes) -> Head:
    """Decode everything of a World but its jobs."""
    return msgspec.msgpack.decode(payload, type=Head)
