"""Checksums that find what SQLite does not: flipped bits inside rows."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final
from zlib import crc32

from interlock_server.storage.port import JournalCorrupt

if TYPE_CHECKING:
    from interlock_server.storage.port import Commit

# The length of `public` is part of it, so that no byte can move between the two blobs unnoticed.
_HEADER: Final = Struct("<5q")


def commit_checksum(commit: Commit) -> int:
    """Checksum over what replay reads of a commit."""
    header = _HEADER.pack(
        commit.number, commit.first_revision, commit.last_revision, commit.at_ms, len(commit.public)
    )
    return crc32(commit.private, crc32(commit.public, crc32(header)))


def checked(payload: bytes, checksum: int, what: str) -> bytes:
    """Return the payload, or raise JournalCorrupt that names what is damaged."""
    if crc32(payload) != checksum:
        raise JournalCorrupt(f"{what} is damaged: its checksum does not match; restore a backup")
    return payload
