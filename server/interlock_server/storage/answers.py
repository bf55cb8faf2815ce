"""Answers to request_ids, stored with the commit they belong to and loaded once at start-up."""

from __future__ import annotations

import sqlite3
from typing import Final
from zlib import crc32

import msgspec

from interlock_server.storage.checksum import checked
from interlock_server.storage.port import Answer
from interlock_server.storage.queries import STATEMENTS

#: One transaction drops no more rows than this.
DROPPED_ROWS_MAX: Final = 500

_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(list[Answer])


def insert_answers(database: sqlite3.Connection, number: int, answers: list[Answer]) -> None:
    """Write the answers of commit `number`."""
    encoded = _ENCODER.encode(answers)
    newest_ms = max(answer.at_ms for answer in answers)
    row = (number, newest_ms, len(answers), crc32(encoded), encoded)
    database.execute(STATEMENTS["insert_answers"], row)


def read_answers(database: sqlite3.Connection, newer_than_ms: int) -> list[Answer]:
    """Answers given after an instant, oldest first."""
    return [
        answer
        for crc, encoded in database.execute(STATEMENTS["answers_newer"], (newer_than_ms,))
        for answer in _DECODER.decode(checked(encoded, crc, "a list of answers"))
        if answer.at_ms > newer_than_ms
    ]


def last_to_drop(database: sqlite3.Connection, older_than_ms: int, keep_max: int) -> int:
    """Number of the newest commit whose answers are too old or too many; 0 if there is none."""
    kept = 0
    for number, newest_ms, count in database.execute(STATEMENTS["answer_counts"]):
        kept += count
        if newest_ms < older_than_ms or kept > keep_max:
            return int(number)
    return 0


def drop_slice(database: sqlite3.Connection, through: int) -> bool:
    """Drop some answers up to commit `through`; False when none were left."""
    cursor = database.execute(STATEMENTS["drop_answers"], (through, DROPPED_ROWS_MAX))
    return cursor.rowcount > 0
