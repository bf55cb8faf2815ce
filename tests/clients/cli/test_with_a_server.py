"""A night of an operator, from `serve` to `verify`, with real processes on both sides."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.slow


class Shell:
    """Runs commands against one server."""

    def __init__(self, address: str) -> None:
        self.environ = {
            "PATH": os.environ["PATH"],
            "INTERLOCK_ADDRESS": address,
            "INTERLOCK_USER": "olga",
        }

    async def __call__(self, *arguments: str, expect: int = 0) -> tuple[str, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "interlock", *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self.environ,
        )
        out, err = (part.decode() for part in await process.communicate())
        assert process.returncode == expect, (arguments, out, err)
        assert "Traceback" not in err
        return out, err


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Shell]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "interlock", "serve", "--listen", "127.0.0.1:0"),
        *("--data-dir", str(folder / "data"), "--log-format", "json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        said: dict[str, Any] = {}
        while said.get("event") != "serving":
            said = json.loads(await process.stdout.readline())
        yield Shell(said["addresses"][0])
    finally:
        process.terminate()
        await process.communicate()
    assert process.returncode == 0


async def test_an_operator_gets_through_the_night(tmp_path):
    async with served(tmp_path) as shell:
        await shell("health")
        await shell("submit", "Report", expect=3)
        await shell("definition", "put", "Report", "--lifecycle", "redwood")
        await shell("definition", "put", "Report", "--lifecycle", "uipath", expect=4)
        first, second = (await shell("submit", "Report", "--count", "2", "-q"))[0].split()

        why, _ = await shell("list", "--live")
        assert "no robot has ever connected" in why

        await shell("hold", first, "-m", "disk full")
        await shell("release", first, "--expected-revision", "1", expect=4)
        _, refused = await shell("kill", first, expect=4)
        assert f"expected to kill job {first}, but it is Held" in refused
        await shell("cancel", first, second, "999", expect=1)
        await shell("get", "999", expect=3)
        await shell("wait", first, second, expect=1)

        shown, _ = await shell("get", first)
        assert "cancel by user olga" in shown
        entries = [
            json.loads(line)
            for line in (await shell("history", first, "-o", "jsonl"))[0].splitlines()
        ]
        assert [each["to"] for each in entries][-2:] == ["Held", "Canceled"]
        assert [each["reason"] for each in entries][-2] == "disk full"

        newest = json.loads((await shell("status", "--json"))[0])["revision"]
        watched, _ = await shell("watch", "--from-revision", "0", "-n", str(newest))
        revisions = [json.loads(line)["revision"] for line in watched.splitlines()]
        assert revisions == list(range(1, newest + 1))

        await shell("queue", "hold", "default", "-m", "month end")
        await shell("queue", "hold", "default", expect=4)
        await shell("queue", "release", "default")
        await shell("backup", "night")
        await shell("verify")


async def test_nobody_there_is_5_and_says_how_to_start_one():
    shell = Shell("127.0.0.1:1")

    _, err = await shell("list", "--timeout", "500ms", expect=5)

    assert "interlock serve --listen 127.0.0.1:1" in err


async def test_a_site_is_applied_from_files_compared_and_exported(tmp_path):
    site = tmp_path / "site.toml"
    site.write_text(
        '[[queues]]\nname = "night"\nexecution_size = 2\n'
        '[[definitions]]\nname = "report"\nlifecycle = "redwood"\nqueue = "night"\n'
    )
    async with served(tmp_path) as shell:
        out, err = await shell("apply", "-f", str(site), "--dry-run")
        assert "create queue night" in out
        assert "2 to create; nothing was changed" in err

        _, err = await shell("apply", "-f", str(site), expect=2)
        assert "expected --yes, or a terminal to ask on: 2 to create" in err

        await shell("apply", "-f", str(site), "--yes")
        _, err = await shell("apply", "-f", str(site), "--yes")
        assert "nothing to change: 2 as they should be" in err

        exported, _ = await shell("export", "--language", "yaml")
        (tmp_path / "again.yaml").write_text(exported)
        _, err = await shell("apply", "-f", str(tmp_path / "again.yaml"), "--prune")
        assert "nothing to change" in err

        site.write_text('[[queues]]\nname = "night"\nexecution_size = 3\n')
        out, _ = await shell("-o", "json", "apply", "-f", str(site), "--yes")
        (changed,) = json.loads(out)
        assert (changed["what"], changed["after"]["execution_size"]) == ("change", 3)

        _, err = await shell("apply", "-f", str(tmp_path / "nowhere.toml"), expect=2)
        assert "expected a file or folder" in err
