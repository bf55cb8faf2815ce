"""Contents of recordings: one file for each, named by its SHA-256, outside the database.

A file appears under its name only when it is whole and durable; what is being written has a name
that no content has. Nothing that a client says becomes a part of a path.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from interlock_server.failpoints import fp

DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_UNFINISHED: Final = "unfinished"


class NoRoom(Exception):  # noqa: N818 - says what is
    """The disk is full."""


class Unfinished:
    """A content that is being written. All of it runs on a thread, one call at a time."""

    def __init__(self, folder: Path) -> None:
        """Make the file."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=folder)
        self.path = Path(name)
        self.size_bytes = 0
        self._file: IO[bytes] = os.fdopen(descriptor, "wb")
        self._hash = hashlib.sha256()

    @property
    def digest(self) -> str:
        """Of what was written."""
        return self._hash.hexdigest()

    def write(self, part: bytes) -> None:
        """Add a part. Raises NoRoom."""
        self._hash.update(part)
        self.size_bytes += len(part)
        with _full_disk():
            self._file.write(part)

    def sync(self) -> None:
        """Make the content durable, under no name yet. Raises NoRoom."""
        with _full_disk():
            self._file.flush()
            os.fsync(self._file.fileno())
        self._file.close()

    def discard(self) -> None:
        """Remove it, unless it was placed. May be called twice."""
        with suppress(OSError):
            self._file.close()
        self.path.unlink(missing_ok=True)


class MediaFiles:
    """The contents of one partition. `open` counts them; nothing is made before the first one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        #: Of all contents, each once.
        self.used_bytes = 0
        self.count = 0

    async def open(self) -> None:
        """Count what is there, and remove what a crash has left unfinished."""
        self.count, self.used_bytes = await asyncio.to_thread(self._count)

    def _count(self) -> tuple[int, int]:
        if (self._folder / _UNFINISHED).is_dir():
            shutil.rmtree(self._folder / _UNFINISHED)
        sizes = [path.stat().st_size for path in self._folder.glob("[0-9a-f][0-9a-f]/*")]
        return len(sizes), sum(sizes)

    async def begin(self) -> Unfinished:
        """Start to write a content. Raises NoRoom."""
        return await asyncio.to_thread(self._begin)

    def _begin(self) -> Unfinished:
        with _full_disk():
            return Unfinished(self._folder / _UNFINISHED)

    async def place(self, unfinished: Unfinished) -> None:
        """Give a content its name, durably; the same content again changes nothing.

        Not beside `remove`: whoever calls sees to that.
        """
        if await asyncio.to_thread(self._place, unfinished):
            self.count += 1
            self.used_bytes += unfinished.size_bytes

    def _place(self, unfinished: Unfinished) -> bool:
        path = self._path(unfinished.digest)
        is_new = not path.exists()
        with _full_disk():
            if is_new:
                _make_folder(path.parent)
                fp("media.before_rename")
                unfinished.path.replace(path)
            else:
                unfinished.discard()
            # Also if it was there already: the crash of whoever placed it may have come before.
            _sync(path.parent)
        fp("media.after_rename")
        return is_new

    async def remove(self, digests: list[str]) -> None:
        """Remove contents that nobody refers to."""
        freed = await asyncio.to_thread(self._remove, digests)
        self.count -= len(freed)
        self.used_bytes -= sum(freed)

    def _remove(self, digests: list[str]) -> list[int]:
        freed = []
        for digest in digests:
            path = self._path(digest)
            with suppress(FileNotFoundError):
                size = path.stat().st_size
                path.unlink()
                freed.append(size)
        return freed

    async def stored(self, part: int) -> list[str]:
        """Digests of the contents in one of 256 folders."""
        return await asyncio.to_thread(self._stored, part)

    def _stored(self, part: int) -> list[str]:
        folder = self._folder / f"{part:02x}"
        if not folder.is_dir():
            return []
        names = (folder.name + path.name for path in folder.iterdir())
        return sorted(name for name in names if DIGEST.fullmatch(name))

    async def open_content(self, digest: str, offset: int) -> IO[bytes] | None:
        """A file to read from; None if the content is gone."""
        return await asyncio.to_thread(self._open_content, digest, offset)

    def _open_content(self, digest: str, offset: int) -> IO[bytes] | None:
        try:
            file = self._path(digest).open("rb")
        except FileNotFoundError:
            return None
        file.seek(offset)
        return file

    async def free_bytes(self) -> int:
        """Room left on the disk."""
        return await asyncio.to_thread(self._free_bytes)

    def _free_bytes(self) -> int:
        folder = self._folder
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        return shutil.disk_usage(folder).free

    def _path(self, digest: str) -> Path:
        assert DIGEST.fullmatch(digest), "only digests become paths"
        return self._folder / digest[:2] / digest[2:]


class _full_disk:  # noqa: N801 - reads as a statement
    """Turns the errors of a full disk into NoRoom."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise NoRoom(str(error)) from error


def _make_folder(path: Path) -> None:
    if not path.is_dir():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync(path.parent)
        _sync(path.parent.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
