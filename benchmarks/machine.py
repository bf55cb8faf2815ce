"""What was measured on: the machine, the versions, its disk, and who else was at work."""

from __future__ import annotations

import os
import platform
import resource
import sqlite3
import time
from importlib.metadata import version
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import google.protobuf
import grpc
import psutil

if TYPE_CHECKING:
    from pathlib import Path

_SYNCS: Final = 300
_SYNC_BYTES: Final = 4_096


def machine(folder: Path) -> dict[str, Any]:
    """Say what it was measured on, and how busy that was with other things."""
    disks = sorted(psutil.disk_partitions(all=True), key=lambda each: len(each.mountpoint))
    holder = [each for each in disks if folder.is_relative_to(each.mountpoint)]
    return {
        "processors": os.cpu_count(),
        "architecture": platform.machine(),
        "system": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "file_system": holder[-1].fstype if holder else "unknown",
        "load_average_before": round(os.getloadavg()[0], 2),
    }


def versions() -> dict[str, str]:
    """Say with which versions it was measured."""
    try:
        import uvloop  # noqa: PLC0415 - an extra
    except ImportError:
        loop = "asyncio"
    else:
        loop = f"uvloop {version(uvloop.__name__)}"
    return {
        "python": platform.python_version(),
        "grpcio": grpc.__version__,
        "protobuf": google.protobuf.__version__,
        "sqlite": sqlite3.sqlite_version,
        "loop": loop,
    }


def sync_times_ms(folder: Path, count: int = _SYNCS) -> list[float]:
    """Make 4 KiB durable again and again, as a commit does; returns the sorted times."""
    taken = []
    path = folder / "sync"
    with path.open("wb", buffering=0) as file:
        for _ in range(count):
            file.write(b"\0" * _SYNC_BYTES)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(1_000 * (time.perf_counter() - began))
    path.unlink()
    return sorted(taken)


def sync_cost_ms(folder: Path) -> dict[str, float]:
    """Say what the disk takes to make 4 KiB durable."""
    taken = sync_times_ms(folder)
    return {
        "median": round(median(taken), 3),
        "p99": round(taken[int(len(taken) * 0.99)], 3),
    }


class Neighbours:
    """How much of the processors others took meanwhile: what they took, we could not.

    Processes count as ours once they have ended.
    """

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._busy = _busy_seconds()
        self._ours = _our_seconds()

    def share(self) -> float:
        """Return their part of all processors since this was made."""
        seconds = (time.monotonic() - self._began) * (os.cpu_count() or 1)
        taken = _busy_seconds() - self._busy - (_our_seconds() - self._ours)
        return round(max(taken, 0.0) / seconds, 2)


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.system + times.nice + times.irq + times.softirq + times.steal)


def _our_seconds() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)
