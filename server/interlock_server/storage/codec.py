"""The storage format: what the bytes of a commit, a snapshot row and an archived job are.

Old entries decode here for ever. The public part of a commit is an interlock.v1.ChangeColumns,
whose bytes watchers
are sent unchanged; everything else is msgpack of the core's records.
"""

from __future__ import annotations

from copy import copy
from struct import Struct
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
    from collections.abc import Callable, Iterable, Sequence

_ENCODER: Final = msgspec.msgpack.Encoder()
_JOB: Final = msgspec.msgpack.Decoder(Job)
_JOBS: Final = msgspec.msgpack.Decoder(list[Job])
#: The head of an array, and its first byte.
_ARRAY: Final = Struct(">BI")
_ARRAY32: Final = 0xDD
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
        Fact(fact.after, fact.kind, fact.key, _VALUES.get(fact.kind, _as_it_is)(fact.value))
        for fact in _FACTS.decode(private)
    ]


class _StoredFact(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """A fact whose value is read when its kind is known."""

    after: int
    kind: int
    key: int | str
    value: msgspec.Raw


_FACTS: Final = msgspec.msgpack.Decoder(list[_StoredFact])
_ANY: Final = msgspec.msgpack.Decoder()
_FIELDS: Final = msgspec.msgpack.Decoder(dict[str, Any])


def _as_it_is(value: msgspec.Raw) -> Any:
    return _ANY.decode(value)


#: Types of the job fields that are more than a number or a text.
_FIELD_TYPES: Final[dict[str, Any]] = {
    field.name: field.type
    for record in (Job, *map(type, PARTS.values()))
    for field in msgspec.structs.fields(record)
    if field.type not in (int, str, bool) and field.name not in PARTS
}
#: Texts that many jobs have in common.
_SHARED_FIELDS: Final = frozenset({"queue", "robot", "process_server", "server"})
_SPECIAL_FIELDS: Final = _SHARED_FIELDS | _FIELD_TYPES.keys()


def _fields(value: msgspec.Raw) -> dict[str, Any]:
    fields = _FIELDS.decode(value)
    for name in fields.keys() & _SPECIAL_FIELDS:
        if name in _FIELD_TYPES:
            fields[name] = msgspec.convert(fields[name], _FIELD_TYPES[name])
        else:
            fields[name] = intern(fields[name])
    return fields


def _new_job(value: msgspec.Raw) -> Job:
    return decode_job(bytes(value))


def _as(kind: Any) -> Callable[[msgspec.Raw], Any]:
    decode: Callable[[msgspec.Raw], Any] = msgspec.msgpack.Decoder(kind).decode
    return decode


_VALUES: Final[dict[int, Callable[[msgspec.Raw], Any]]] = {
    FactKind.CREATE_JOB: _new_job,
    FactKind.SET_JOB: _fields,
    FactKind.PUT_DEFINITION: _as(Definition),
    FactKind.PUT_QUEUE: _as(Queue),
    FactKind.PUT_ROBOT: _as(Robot),
    FactKind.SET_SEQUENCE: _as(tuple[int, list[tuple[Any, ...]]]),
    FactKind.PUT_WINDOW: _as(TimeWindow),
    FactKind.PUT_EVENT: _as(NamedEvent),
    FactKind.PUT_LOCK: _as(Lock),
    FactKind.PUT_SERVER: _as(ProcessServer),
    FactKind.PUT_SCHEDULE: _as(Schedule),
    FactKind.PUT_RUN_TIMES: _as(RunTimes),
    FactKind.PUT_RESTART_DEFAULTS: _as(tuple[RestartBehavior, ...]),
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


def encode_jobs(jobs: Iterable[Job], bytes_max: int) -> bytes:
    """Encode jobs for a snapshot until they have `bytes_max`; b"" if there is none."""
    encoded, count = bytearray(_ARRAY.size), 0
    for job in jobs:
        _ENCODER.encode_into(_with_entries(job, packed(job.entries)), encoded, -1)
        count += 1
        if len(encoded) >= bytes_max:
            break
    _ARRAY.pack_into(encoded, 0, _ARRAY32, count)
    return bytes(encoded) if count else b""


def decode_jobs(payload: bytes) -> list[Job]:
    """Decode jobs that were copied at once."""
    jobs = _JOBS.decode(payload)
    for job in jobs:
        _shared(job)
    return jobs


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
    if job.top_start_ms == job.start_ms == job.created_ms:
        job.top_start_ms = job.start_ms = job.created_ms  # 64 bytes of numbers
    return job


def decode_history(payload: bytes) -> list[HistoryEntry]:
    """Decode the history of an archived job, or a spilled part of one."""
    return unpacked(payload) if payload else []


def decode_head(payload: bytes) -> Head:
    """Decode everything of a World but its jobs."""
    return msgspec.msgpack.decode(payload, type=Head)
