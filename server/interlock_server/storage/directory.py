"""The folder that holds everything a server keeps, for one server at a time."""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path
from typing import Final

#: Also a folder's name, so nothing that a path could be made of.
PARTITION_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_JOURNAL: Final = "journal.db"


class DataDirectoryInUse(Exception):  # noqa: N818 - says what is, not that something broke
    """Another server holds the data directory."""


class DataDirectory:
    """A data directory that this process holds until `close`. `open` makes one."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def open(cls, path: str | Path) -> DataDirectory:
        """Make the folder if need be and take it; DataDirectoryInUse if another server has it.

        The lock is the kernel's, so it ends with the process, however that ends.
        """
        path = Path(path).absolute()
        _make_folder(path)
        lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(lock, 20, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(lock)
            raise DataDirectoryInUse(
                f"expected {path} to be free, but another server uses it (process {holder}); "
                f"stop that one, or choose another data directory"
            ) from error
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        _make_folder(path / "partitions")
        _make_folder(path / "backups")
        return cls(path, lock)

    @property
    def backups(self) -> Path:
        """Folder of the backups."""
        return self.path / "backups"

    def media_folder(self, partition: str) -> Path:
        """Folder of the recordings of a partition, which is made with the first one."""
        return self.path / "media" / partition

    def partitions(self) -> list[str]:
        """Names of the partitions that have a journal, sorted."""
        return sorted(path.parent.name for path in self.path.glob(f"partitions/*/{_JOURNAL}"))

    def journal_path(self, partition: str) -> Path:
        """Path of a partition's journal; its folder is made. ValueError for a bad name."""
        if not PARTITION_NAME.fullmatch(partition):
            raise ValueError(
                f"expected a partition name of 1 to 64 letters, digits, '-' or '_', beginning with "
                f"a letter or digit, but got {partition!r}"
            )
        folder = self.path / "partitions" / partition
        _make_folder(folder)
        return folder / _JOURNAL

    def close(self) -> None:
        """Give the folder up. May be called twice."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _make_folder(path: Path) -> None:
    if path.is_dir():
        return
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The name of a new folder is durable only when the folder above was synced.
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
