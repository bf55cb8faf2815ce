"""What the crash tests have tried, in numbers: "nothing was lost" says little without how often.

Written to reliability.json beside this file, which git does not keep, and printed after the tests.
"""

from __future__ import annotations

import json
import platform
import sqlite3
import subprocess
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_name("reliability.json")


class Scoreboard:
    """Counts by subject, of one run of pytest."""

    def __init__(self) -> None:
        self.counts: dict[str, dict[str, Any]] = {}

    def count(self, subject: str, **counts: Any) -> None:
        """Note counts of a subject."""
        self.counts.setdefault(subject, {}).update(counts)

    def write(self, folder: Path) -> None:
        """Write the file; `folder` is where the data directories were."""
        where = {
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            "kernel": platform.release(),
            "filesystem": _filesystem(folder),
        }
        FILE.write_text(json.dumps({"machine": where, **self.counts}, indent=2) + "\n", "utf-8")

    def lines(self) -> list[str]:
        """For people."""
        return [
            f"{subject}: " + ", ".join(f"{name} {value}" for name, value in counts.items())
            for subject, counts in self.counts.items()
        ]


def _filesystem(folder: Path) -> str:
    shown = subprocess.run(
        ("stat", "--file-system", "--format=%T", str(folder)),
        check=False,
        capture_output=True,
        text=True,
    )
    return shown.stdout.strip()
