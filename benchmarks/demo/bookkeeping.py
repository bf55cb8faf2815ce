"""The work of the robots: a ledger for each month, packed, hashed and summed. Real files.

Every function is deterministic and safe to repeat, so that the demonstration can work out what
has to be in a file without asking the robot that wrote it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import zlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MONTHS: Final = tuple(f"2026-{month:02d}" for month in range(1, 13))
SLICES: Final = 6
_ROWS_PER_SLICE: Final = 1_500
_ACCOUNTS: Final = ("1000", "1200", "4400", "6300")


class BrokenArchiveError(Exception):
    """A packed ledger cannot be read."""


def ledger_slices(month: str) -> Iterator[str]:
    """Yield the rows of a month, a slice at a time; always the same rows for the same month."""
    dice = random.Random(month)
    for number in range(SLICES):
        rows = (
            f"{month}-{1 + number * 5:02d};{dice.choice(_ACCOUNTS)};{dice.randint(100, 99_999)}\n"
            for _ in range(_ROWS_PER_SLICE)
        )
        yield "".join(rows)


def total_cents(text: str) -> int:
    """Return the sum of a ledger."""
    return sum(int(line.rsplit(";", 1)[1]) for line in text.splitlines())


def ledger_path(folder: Path, month: str) -> Path:
    """Return where the ledger of a month is."""
    return folder / f"ledger-{month}.csv"


def packed_path(folder: Path, month: str) -> Path:
    """Return where the packed ledger of a month is."""
    return folder / f"ledger-{month}.csv.gz"


def pack(folder: Path, month: str) -> dict[str, Any]:
    """Compress a ledger; returns the size and the hash of what was written."""
    packed = gzip.compress(ledger_path(folder, month).read_bytes(), mtime=0)
    replace(packed_path(folder, month), packed)
    return {"bytes": len(packed), "sha256": hashlib.sha256(packed).hexdigest()}


def unpack(path: Path) -> str:
    """Return the ledger in a packed file; BrokenArchiveError if it cannot be read."""
    try:
        return gzip.decompress(path.read_bytes()).decode()
    except (EOFError, OSError, zlib.error) as error:
        raise BrokenArchiveError(str(error)) from error


def sha256_of(path: Path) -> str:
    """Return the hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_json(path: Path, value: Any) -> None:
    """Write a file whole or not at all."""
    replace(path, json.dumps(value, indent=2).encode())


def replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)
