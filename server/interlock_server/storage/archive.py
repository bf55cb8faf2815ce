"""The archive of final jobs, and the older history that very busy live jobs had to give up."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Final
from zlib import crc32

from interlock_server.core.vocabulary.status import STATUS_NUMBERS
from interlock_server.storage.checksum import checked
from interlock_server.storage.port import ArchivedJob, SpilledHistory
from interlock_server.storage.queries import STATEMENTS
from interlock_server.storage.reader import Reader

_INSERT_ARCHIVED: Final = STATEMENTS["insert_archived"]
_INSERT_SPILLED: Final = STATEMENTS["insert_spilled"]


@dataclass(frozen=True, slots=True)
class ArchiveQuery:
    """One page of a listing; an empty filter means any."""

    before_job: int
    limit: int
    lifecycles: Collection[int] = ()
    statuses: Collection[int] = ()
    definitions: Collection[str] = ()
    queues: Collection[str] = ()
    robots: Collection[str] = ()
    jobs: Collection[int] = ()


class Archive:
    """Reads of the archive, on a connection of their own: a long one delays no watcher."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def job(self, job: int) -> ArchivedJob | None:
        """One final job."""
        return await self._reader.read(partial(_read_job, job))

    async def spilled(self, job: int) -> list[SpilledHistory]:
        """Older history of a job, oldest part first."""
        return await self._reader.read(partial(_read_spilled, job))

    async def page(self, query: ArchiveQuery) -> list[ArchivedJob]:
        """Final jobs that match, highest id first."""
        return await self._reader.read(partial(_read_page, query))

    async def count(self) -> int:
        """How many final jobs there are."""
        counted: tuple[int] = await self._reader.read(
            lambda database: database.execute(STATEMENTS["archived_count"]).fetchone()
        )
        return counted[0]


def insert_archived(database: sqlite3.Connection, jobs: Iterable[ArchivedJob]) -> None:
    """Write final jobs, inside the transaction of their commit."""
    database.executemany(
        _INSERT_ARCHIVED,
        [
            (
                each.job,
                each.lifecycle,
                each.status,
                each.definition,
                each.queue,
                each.robot,
                each.created_ms,
                each.ended_ms,
                crc32(each.history, crc32(each.record)),
                each.record,
                each.history,
            )
            for each in jobs
        ],
    )


def insert_spilled(database: sqlite3.Connection, parts: Iterable[SpilledHistory]) -> None:
    """Write older history, inside the transaction of its commit."""
    rows = [(each.job, each.part, crc32(each.entries), each.entries) for each in parts]
    database.executemany(_INSERT_SPILLED, rows)


def _read_job(job: int, database: sqlite3.Connection) -> ArchivedJob | None:
    row = database.execute(STATEMENTS["archived_job"], (job,)).fetchone()
    if row is None:
        return None
    crc, *fields = row
    found = ArchivedJob(*fields)
    checked(found.record + found.history, crc, f"archived job {job}")
    return found


def _read_spilled(job: int, database: sqlite3.Connection) -> list[SpilledHistory]:
    return [
        SpilledHistory(job, part, checked(entries, crc, f"history part {part} of job {job}"))
        for job, part, crc, entries in database.execute(STATEMENTS["spilled_history"], (job,))
    ]


def _read_page(query: ArchiveQuery, database: sqlite3.Connection) -> list[ArchivedJob]:
    found: set[int] = set()
    for sql, values in _searches(query):
        found.update(job for (job,) in database.execute(sql, values))
    page = sorted(found, reverse=True)[: query.limit]
    jobs = (_read_job(job, database) for job in page)
    return [job for job in jobs if job is not None]


def _searches(query: ArchiveQuery) -> Iterator[tuple[str, list[object]]]:
    """Searches that together find the ids of the page, each in the order of an index.

    One search for several values would make SQLite sort everything that matches; one for each
    value reads no more than the page.
    """
    rest: list[tuple[str, Collection[object]]] = [
        ("lifecycle", query.lifecycles),
        ("queue", query.queues),
        ("robot", query.robots),
    ]
    if query.jobs:
        yield _search(
            query,
            [
                ("job", query.jobs),
                ("+definition", query.definitions),
                ("+status", query.statuses),
                *rest,
            ],
        )
    elif query.definitions:
        statuses = query.statuses or range(STATUS_NUMBERS)
        for definition, status in product(query.definitions, statuses):
            yield _search(query, [("definition", [definition]), ("status", [status]), *rest])
    elif query.statuses:
        for status in query.statuses:
            yield _search(query, [("status", [status]), *rest])
    else:
        yield _search(query, rest)


def _search(
    query: ArchiveQuery, conditions: list[tuple[str, Collection[object]]]
) -> tuple[str, list[object]]:
    # Only names of columns and question marks are put together here, never a value.
    terms = ["job < ?"]
    values: list[object] = [query.before_job]
    for column, wanted in conditions:
        if wanted:
            terms.append(f"{column} IN ({', '.join('?' * len(wanted))})")
            values += wanted
    where = " AND ".join(terms)
    sql = f"SELECT job FROM archived WHERE {where} ORDER BY job DESC LIMIT ?"  # noqa: S608
    return sql, [*values, query.limit]
