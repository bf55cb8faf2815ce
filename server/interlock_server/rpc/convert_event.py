"""Changes as watchers get them: from the stored columns to bytes of the wire.

Everything here returns serialized messages. What many watchers want is made once for each commit
and kept with it. Messages end where a turn ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from interlock.v1 import event_pb2, watch_service_pb2
from interlock_server.core.vocabulary.lifecycle import ROWS
from interlock_server.core.vocabulary.status import STATUS_LIFECYCLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from google.protobuf.message import Message

    from interlock_server.core.change import ChangeBlock, Name
    from interlock_server.rpc.name_book import NameBook
    from interlock_server.watch.filter import ChangeFilter
    from interlock_server.watch.published import Published

#: Bytes of one message, as long as a single turn is not larger.
MESSAGE_BYTES_MAX: Final = 1 << 20
NAMES_MAX: Final = 10_000

#: Tags of the fields of WatchResponse, and of the blocks and events in them (wire type 2).
_EVENTS: Final = b"\x12"
_COLUMNS: Final = b"\x1a"
_ITEM: Final = b"\x0a"

#: Blocks of a turn, and the indexes that are selected in each.
Turn = list[tuple["ChangeBlock", Sequence[int]]]


class Wire(NamedTuple):
    """A serialized WatchResponse, and the revision up to which it is complete."""

    revision: int
    data: bytes
    #: Where its turns begin, so that it can be joined with others of its form; 0 if it cannot.
    content: int = 0


def varint(number: int) -> bytes:
    """A length as it stands in front of a field."""
    out = bytearray()
    while number > 0x7F:  # noqa: PLR2004  seven bits to a byte
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _field(tag: bytes, content: bytes) -> bytes:
    return b"".join((tag, varint(len(content)), content))


def _wire(revision: int, tag: bytes, turns: Sequence[bytes]) -> Wire:
    content = turns[0] if len(turns) == 1 else b"".join(turns)
    data = _field(tag, content)
    return Wire(revision, data, len(data) - len(content))


def joined(wires: Sequence[Wire]) -> list[Wire]:
    """Small neighbours of one form as one message: a write costs more than its bytes."""
    found: list[Wire] = []
    waiting: list[Wire] = []
    size = 0
    for wire in wires:
        fits = waiting and waiting[0].data[:1] == wire.data[:1] and wire.content
        if waiting and not (fits and size + len(wire.data) <= MESSAGE_BYTES_MAX):
            found.append(_joined(waiting))
            waiting, size = [], 0
        waiting.append(wire)
        size += len(wire.data)
    if waiting:
        found.append(_joined(waiting))
    return found


def _joined(wires: Sequence[Wire]) -> Wire:
    if len(wires) == 1:
        return wires[0]
    contents = [wire.data[wire.content :] for wire in wires]
    return _wire(wires[-1].revision, wires[0].data[:1], contents)


# -- columns ------------------------------------------------------------------------------------


def stored_columns(commits: Sequence[Published]) -> list[Wire]:
    """Whole commits as they were stored, several in one message; nothing is decoded."""
    if len(commits) == 1:
        return _stored_commit(commits[0])
    found: list[Wire] = []
    waiting: list[bytes] = []
    size = revision = 0
    for published in commits:
        fits = size + len(published.public) <= MESSAGE_BYTES_MAX
        if waiting and not fits:
            found.append(_wire(revision, _COLUMNS, waiting))
            waiting, size = [], 0
        revision = published.last_revision
        if len(published.public) > MESSAGE_BYTES_MAX:
            found.extend(_stored_commit(published))
        else:
            waiting.append(published.public)
            size += len(published.public)
    if waiting:
        found.append(_wire(revision, _COLUMNS, waiting))
    return found


def _stored_commit(published: Published) -> list[Wire]:
    found: list[Wire] | None = published.cache.get(_COLUMNS)
    if found is None:
        if len(published.public) <= MESSAGE_BYTES_MAX:
            found = [_wire(published.last_revision, _COLUMNS, [published.public])]
        else:
            found = _packed(_COLUMNS, _stored_turns(published))
        published.remember(_COLUMNS, found)
    return found


def _stored_turns(published: Published) -> Iterator[tuple[int, bytes]]:
    """Cut the stored bytes of a very large commit where its turns end."""
    turn: list[bytes] = []
    blocks = _cut_items(published.public)
    for block, data in zip(published.blocks, blocks, strict=True):
        turn.append(data)
        if not block.continues:
            yield block.last_revision, b"".join(turn)
            turn = []
    assert not turn, "a commit ends with a turn"


def _cut_items(data: bytes) -> Iterator[bytes]:
    """Cut the fields of a message whose only field is repeated."""
    start = 0
    while start < len(data):
        at, length, shift = start + 1, 0, 0
        while True:
            byte = data[at]
            length |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:  # noqa: PLR2004  the last byte of a varint
                break
        yield data[start : at + length]
        start = at + length


def selected_columns(published: Published, selected: ChangeFilter) -> list[Wire]:
    """The changes of a commit that a filter selects, as columns; all names come first."""
    key = (_COLUMNS, selected.key)
    found: list[Wire] | None = published.cache.get(key)
    if found is None:
        # Names of what is not selected too: a later block may use them.
        names = [name for block in published.blocks for name in block.names]
        before = published.first_revision - 1
        found = [Wire(before, data) for data in names_messages(names)]
        found += _packed(
            _COLUMNS,
            ((last, _turn_columns(turn)) for last, turn in _turns(published, selected)),
        )
        published.remember(key, found)
    return found


def _turn_columns(turn: Turn) -> bytes:
    runs = [run for block, indexes in turn for run in _runs(block, indexes)]
    for run in runs[:-1]:
        run.continues = True
    return _items(runs)


def _runs(block: ChangeBlock, indexes: Sequence[int]) -> Iterator[event_pb2.ChangeBlock]:
    """The runs of neighbours among the selected changes: their revisions have no gap."""
    start = 0
    for place in range(1, len(indexes) + 1):
        if place == len(indexes) or indexes[place] != indexes[place - 1] + 1:
            yield _run(block, indexes[start], indexes[place - 1] + 1)
            start = place


def _run(block: ChangeBlock, start: int, stop: int) -> event_pb2.ChangeBlock:
    cause = block.cause
    count = len(block.jobs)
    return event_pb2.ChangeBlock(
        first_revision=block.first_revision + start,
        time_ms=cause.at_ms,
        actor=cause.actor,  # type: ignore[arg-type]  # same numbers
        author=cause.author,
        reason=cause.reason,
        request_id=cause.request_id,
        jobs=block.jobs[start:stop],
        transitions=bytes(block.rows[start:stop]),
        definitions=_cut(block.definitions, start, stop, count),
        queues=_cut(block.queues, start, stop, count),
        robots=_cut(block.robots, start, stop, count),
        notes=[
            event_pb2.Note(index=index - start, reason=reason)
            for index, reason in block.notes.items()
            if start <= index < stop
        ],
    )


def _cut(column: Sequence[int], start: int, stop: int, count: int) -> Sequence[int]:
    """A part of a column; one with one value holds for every change."""
    return column if len(column) == 1 < count else column[start:stop]


# -- events -------------------------------------------------------------------------------------


def events(published: Published, selected: ChangeFilter | None, names: NameBook) -> list[Wire]:
    """The changes of a commit, or those that a filter selects, each as a message."""
    key = (_EVENTS, selected.key if selected is not None else None)
    found: list[Wire] | None = published.cache.get(key)
    if found is None:
        found = _packed(
            _EVENTS,
            ((last, _turn_events(turn, names)) for last, turn in _turns(published, selected)),
        )
        published.remember(key, found)
    return found


def _turn_events(turn: Turn, names: NameBook) -> bytes:
    return _items(event for block, indexes in turn for event in block_events(block, indexes, names))


def block_events(
    block: ChangeBlock, indexes: Iterable[int], names: NameBook
) -> Iterator[event_pb2.Event]:
    """Single changes of a block as messages."""
    cause, count = block.cause, len(block.jobs)
    definitions, queues, robots = names.definitions, names.queues, names.robots
    for index in indexes:
        row = ROWS[block.rows[index]]
        assert row is not None, "only rows of the tables are recorded"
        event = event_pb2.Event(
            revision=block.first_revision + index,
            job=block.jobs[index],
            lifecycle=STATUS_LIFECYCLE[row.target],  # type: ignore[arg-type]  # same numbers
            to=int(row.target),  # type: ignore[arg-type]  # same numbers
            trigger=row.trigger.text,
            transition=row.id,
            actor=cause.actor,  # type: ignore[arg-type]  # same numbers
            author=cause.author,
            reason=block.reason(index),
            request_id=cause.request_id,
            definition=definitions[_at(block.definitions, index, count)],
            queue=queues[_at(block.queues, index, count)],
            robot=robots[_at(block.robots, index, count)],
            **{"from": int(row.source)},  # type: ignore[arg-type]  # a word of Python
        )
        event.time.FromMilliseconds(cause.at_ms)
        yield event


def _at(column: Sequence[int], index: int, count: int) -> int:
    return column[0] if len(column) == 1 < count else column[index]


# -- messages -----------------------------------------------------------------------------------


def _turns(published: Published, selected: ChangeFilter | None) -> Iterator[tuple[int, Turn]]:
    """Each turn's last revision and what is selected of it; turns with nothing are left out."""
    chosen = (
        None
        if selected is None
        else {block.first_revision: indexes for block, indexes in selected.matches(published)}
    )
    turn: Turn = []
    for block in published.blocks:
        indexes = range(len(block)) if chosen is None else chosen.get(block.first_revision)
        if indexes:
            turn.append((block, indexes))
        if not block.continues:
            if turn:
                yield block.last_revision, turn
            turn = []
    assert not turn, "a commit ends with a turn"


def _items(messages: Iterable[Message]) -> bytes:
    """Messages as the items of a repeated field with number 1."""
    out: list[bytes] = []
    for message in messages:
        data = message.SerializeToString()
        out += (_ITEM, varint(len(data)), data)
    return b"".join(out)


def _packed(tag: bytes, turns: Iterable[tuple[int, bytes]]) -> list[Wire]:
    """Put whole turns into as few messages as their size allows."""
    found: list[Wire] = []
    waiting: list[bytes] = []
    size = revision = 0
    for last_revision, data in turns:
        if waiting and size + len(data) > MESSAGE_BYTES_MAX:
            found.append(_wire(revision, tag, waiting))
            waiting, size = [], 0
        waiting.append(data)
        size += len(data)
        revision = last_revision
    if waiting:
        found.append(_wire(revision, tag, waiting))
    return found


def names_messages(names: Sequence[Name]) -> Iterator[bytes]:
    """Names that the columns will use."""
    for start in range(0, len(names), NAMES_MAX):
        message = watch_service_pb2.WatchResponse()
        message.names.names.extend(
            event_pb2.Name(
                kind=each.kind,  # type: ignore[arg-type]  # same numbers
                number=each.number,
                name=each.name,
            )
            for each in names[start : start + NAMES_MAX]
        )
        yield message.SerializeToString()


def progress(revision: int, history_id: str) -> bytes:
    """That everything up to a revision of a history was sent."""
    return watch_service_pb2.WatchResponse(
        progress=watch_service_pb2.Progress(revision=revision, history_id=history_id)
    ).SerializeToString()
