"""Reads workloads in the Standard Workload Format: 18 columns, `;` comments, plain or gzip.

What the columns mean is in the comments of each file and at the Parallel Workloads Archive. A
`Record` is one job; -1 in a column means that it is not known. Records of bursts (status 2 to 4)
repeat what the summary record of their job says, so they are left out.
"""

from __future__ import annotations

import gzip
import re
import zlib
from dataclasses import dataclass, field
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

COLUMNS: Final = 18
#: Names in comments, such as `; Queue: 0 interactive`.
_NAMED: Final = re.compile(r";\s*(?P<kind>Queue|Partition):\s*(?P<number>-?\d+)\s+(?P<name>\S+)")
_BURSTS: Final = frozenset({2, 3, 4})
_FAILED: Final = 0
_CANCELED: Final = 5


class SwfError(Exception):
    """The file is no workload that can be read; the sentence says where and why."""


class Record(NamedTuple):
    """One job of the workload, with the columns that a replay uses."""

    number: int
    #: Seconds after the beginning of the log.
    submit_s: float
    run_s: float
    processors: int
    #: completed, failed or canceled; completed if the log does not know.
    outcome: str
    user: int
    group: int
    application: int
    queue: int


@dataclass(frozen=True)
class Workload:
    """All jobs of a file in the order in which they were submitted."""

    records: list[Record]
    #: Names of queues by number, where the comments give them.
    queue_names: dict[int, str] = field(default_factory=dict)
    #: Records that only repeat a part of another one.
    bursts: int = 0


def read_workload(path: Path) -> Workload:
    """Read a file; SwfError says what is wrong with it."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            content: Any = gzip.GzipFile(fileobj=file) if packed else file
            with TextIOWrapper(content, encoding="utf-8", errors="replace") as lines:
                workload = parse(lines)
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise SwfError(f"expected a workload in {path}, but it cannot be read: {why}") from None
    except SwfError as error:
        raise SwfError(f"{path}, {error}") from None
    if not workload.records:
        raise SwfError(f"expected at least one job in {path}, but it has none")
    return workload


def parse(lines: Iterable[str]) -> Workload:
    """Read the lines of a file."""
    records: list[Record] = []
    queue_names: dict[int, str] = {}
    bursts = 0
    for number, values in _rows(lines, queue_names):
        record = _record(number, values)
        if int(values[10]) in _BURSTS:
            bursts += 1
        else:
            records.append(record)
    records.sort(key=lambda record: (record.submit_s, record.number))
    return Workload(records, queue_names, bursts)


def _rows(lines: Iterable[str], queue_names: dict[int, str]) -> Iterator[tuple[int, list[float]]]:
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if text.startswith(";"):
            if (named := _NAMED.match(text)) and named["kind"] == "Queue":
                queue_names[int(named["number"])] = named["name"]
            continue
        if not text:
            continue
        words = text.split()
        if len(words) != COLUMNS:
            raise SwfError(
                f"line {number}: expected {COLUMNS} columns of the Standard Workload Format, "
                f"but got {len(words)}"
            )
        try:
            yield number, [float(word) for word in words]
        except ValueError:
            raise SwfError(f"line {number}: expected numbers, but got {text[:60]!r}") from None


def _record(line: int, values: list[float]) -> Record:
    bounded = all(abs(value) < 1e15 for value in values)  # also refuses nan and inf
    if not bounded:
        raise SwfError(f"line {line}: expected numbers of at most 15 digits")
    number, submit, _, run, used, _, _, wanted, _, _, status, user, group, application, queue = (
        values[:15]
    )
    if submit < 0:
        raise SwfError(f"line {line}: expected a submit time of at least 0, but got {submit:g}")
    outcome = {_FAILED: "failed", _CANCELED: "canceled"}.get(int(status), "completed")
    return Record(
        number=int(number),
        submit_s=submit,
        run_s=max(run, 0.0),
        processors=max(int(wanted if wanted > 0 else used), 1),
        outcome=outcome,
        user=int(user),
        group=int(group),
        application=int(application),
        queue=int(queue),
    )
