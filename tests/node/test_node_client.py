"""A client in another language, made at run time: it submits, watches, resumes without a gap."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from tests.support.described import described_files
from tests.support.own_process import ServerProcess
from tests.support.sources import PROTOS
from tests.support.watch_promises import Changes, Ended, Progress, Record, Truth, broken_promises

HERE = Path(__file__).parent
INSTALL_S = 120
ANSWER_S = 30

pytestmark = [pytest.mark.node, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The client's program in a folder of its own, with what it needs installed beside it."""
    missing = [tool for tool in ("node", "npm") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"expected {' and '.join(missing)} on this machine; install nodejs and npm")
    folder = tmp_path_factory.mktemp("node")
    for name in ("package.json", "package-lock.json", "client.js"):
        shutil.copy(HERE / name, folder)
    installed = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=INSTALL_S,
        stdin=subprocess.DEVNULL,
    )
    if installed.returncode and "CI" not in os.environ:
        pytest.skip(f"expected npm to install the client's packages: {installed.stderr[-300:]}")
    assert installed.returncode == 0, installed.stderr
    return folder / "client.js"


@pytest.fixture
def server(tmp_path):
    with ServerProcess(tmp_path / "server", "--durability", "off") as server:
        yield server


class NodeClient:
    """The program while it runs, and what it has seen."""

    def __init__(self, process: asyncio.subprocess.Process):
        self._process = process
        self.record = Record(0)
        self.heard: list[dict] = []

    async def hear(self, key):
        """Read what it says until it says something of this kind."""
        assert self._process.stdout is not None
        async with asyncio.timeout(ANSWER_S):
            while True:
                line = await self._process.stdout.readline()
                assert line, f"it ended; the last it said: {self.heard[-3:]}"
                said = json.loads(line)
                self._take(said)
                if key in said:
                    return said

    def _take(self, said):
        self.heard.append(said)
        if "changes" in said:
            self.record.messages.append(Changes(tuple(said["changes"])))
        elif "progress" in said:
            self.record.messages.append(Progress(said["progress"]))
        elif "ended" in said:
            self.record.messages.append(Ended(said["resumed_from"]))

    async def submit(self, count):
        """Let it submit held jobs; the revision of its answer."""
        await self.tell(f"submit {count}")
        said = await self.hear("submitted")
        assert said["outcomes"] == count
        return said["submitted"]

    async def tell(self, line):
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        await self._process.stdin.drain()

    async def reaches(self, revision):
        """Read until it has seen everything up to a revision."""
        while self.record.complete_to < revision:
            await self.hear("changes")

    async def exit(self):
        await self.tell("exit")
        async with asyncio.timeout(ANSWER_S):
            _, said = await self._process.communicate()
        assert (self._process.returncode, said) == (0, b"")


@pytest.fixture(params=["protos", "descriptors"])
async def client(request, program, server, tmp_path):
    """A client made from the protos, or from what the server says of itself."""
    source = PROTOS
    if request.param == "descriptors":
        source = tmp_path / "described.bin"
        with server.channel() as channel:
            described = FileDescriptorSet(file=described_files(channel))
        source.write_bytes(described.SerializeToString())
    process = await asyncio.create_subprocess_exec(
        *("node", str(program), server.address, request.param, str(source)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    yield NodeClient(process)
    if process.returncode is None:
        process.kill()
        await process.communicate()


async def test_a_node_client_submits_watches_and_resumes_without_a_gap(client, server):
    await client.hear("ready")
    last = await client.submit(5)
    await client.reaches(last)

    for kill in (False, True):
        await asyncio.to_thread(server.restart, kill=kill)
        await client.hear("ended")
        last = await client.submit(5)
        await client.reaches(last)
    await client.exit()

    revisions = list(range(1, last + 1))
    assert client.record.revisions == revisions
    assert broken_promises(client.record, Truth(revisions)) == []
    newest = next(said["last"] for said in reversed(client.heard) if "last" in said)
    assert (newest["to"], newest["trigger"]) == ("STATUS_REDWOOD_HELD", "hold_on_submit")
    refused = next(said for said in client.heard if "refused" in said)
    assert refused["refused"] == "NOT_FOUND"
    assert refused["sentence"] == "there is no job 999999"
    assert refused["details"] == 1
