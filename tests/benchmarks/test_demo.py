"""The demonstration keeps what it promises: every claim holds, and nothing is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.sources import REPOSITORY

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def run_demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.demo", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "TMPDIR": str(folder), "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
    )


def programs_in(folder: Path) -> list[str]:
    """Return the command lines of running programs that name the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = process.read_bytes().decode(errors="replace").replace("\0", " ")
        except OSError:
            continue  # it has just ended
        if str(folder) in command:
            found.append(command)
    return found


def test_every_claim_of_the_demo_holds_and_nothing_is_left_behind(tmp_path: Path) -> None:
    done = run_demo(tmp_path, "--fast")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "claims hold" in done.stdout
    assert "\x1b" not in done.stdout
    assert [*tmp_path.iterdir()] == []
    assert programs_in(tmp_path) == []
