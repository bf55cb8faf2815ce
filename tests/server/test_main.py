"""The program: how it starts, how it is told to stop, and what it says when it cannot."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from interlock.v1 import catalog_service_pb2, watch_service_pb2
from interlock.v1.catalog_service_pb2_grpc import CatalogServiceStub
from interlock.v1.queue_pb2 import Queue
from interlock.v1.watch_service_pb2_grpc import WatchServiceStub
from tests.support.served import reason, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow


@contextmanager
def process(
    tmp_path: Path, *argv: str, data_dir: str = "data", failpoints: str = ""
) -> Iterator[subprocess.Popen[str]]:
    """Start the program, and end it with the block."""
    command = [sys.executable, "-m", "interlock_server", "--data-dir", str(tmp_path / data_dir)]
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith("INTERLOCK_")
    }
    with subprocess.Popen(
        [*command, "--log-format", "json", *argv],
        stderr=subprocess.PIPE,
        text=True,
        env=environment | {"HOME": str(tmp_path), "INTERLOCK_FAILPOINTS": failpoints},
    ) as started:
        try:
            yield started
        finally:
            started.kill()


def until(started: subprocess.Popen[str], word: str) -> str:
    """Read the log until a word comes."""
    assert started.stderr is not None
    read = []
    for line in started.stderr:
        read.append(line)
        if word in line:
            return line
    raise AssertionError(f"expected {word}, but the log ended: {''.join(read)}")


@contextmanager
def server(
    tmp_path: Path, *argv: str, failpoints: str = ""
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    port_file = tmp_path / "port"
    arguments = ("--listen", "127.0.0.1:0", "--port-file", str(port_file))
    with process(tmp_path, *arguments, *argv, failpoints=failpoints) as started:
        until(started, '"serving"')
        # The file is there before the log says so or right after; a log line may overtake it.
        while not port_file.exists():
            assert started.poll() is None
        yield started, port_file.read_text(encoding="utf-8").strip()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_told_to_stop_ends_well(tmp_path, number, loop):
    pytest.importorskip("uvloop")
    with server(tmp_path, "--loop", loop) as (started, address):
        assert address.startswith("127.0.0.1:")

        started.send_signal(number)
        _, rest = started.communicate(timeout=20)

        assert started.returncode == 0
        assert "stopping" in rest
        assert "Traceback" not in rest


async def test_an_open_watch_does_not_hold_up_the_end(tmp_path):
    with server(tmp_path, "--grace", "60s") as (started, address):
        async with grpc.aio.insecure_channel(address) as channel:
            call = WatchServiceStub(channel).Watch(watch_service_pb2.WatchRequest())
            first: Any = await call.read()
            assert first.HasField("progress")

            started.send_signal(signal.SIGTERM)
            with pytest.raises(grpc.aio.AioRpcError) as ended:
                await call.read()

        assert reason(ended.value) == "GOING_AWAY"
        assert started.wait(timeout=20) == 0


def test_a_second_server_on_the_same_data_is_refused(tmp_path):
    with server(tmp_path) as (_, _), process(tmp_path, "--listen", "127.0.0.1:0") as second:
        _, told = second.communicate(timeout=20)

        assert second.returncode == 1
        assert "another server uses it" in told
        assert "Traceback" not in told


def test_a_second_server_on_the_same_port_is_refused(tmp_path):
    with (
        server(tmp_path) as (_, address),
        process(tmp_path, "--listen", address, data_dir="other") as second,
    ):
        _, told = second.communicate(timeout=20)

        assert second.returncode == 1
        assert "another server may use it" in told
        assert "Traceback" not in told


def test_a_wrong_setting_is_told_in_one_sentence(tmp_path):
    with process(tmp_path, "--durability", "maybe") as started:
        _, told = started.communicate(timeout=20)

        assert started.returncode == 2
        assert told.strip() == (
            "interlock serve: --durability: expected full, normal, off, but got 'maybe'."
        )


async def put_queues(channel: grpc.aio.Channel) -> None:
    """Write queues until the server fails."""
    stub = CatalogServiceStub(channel)
    for number in range(100):
        queue = Queue(name=f"q{number}")
        await stub.PutQueues(catalog_service_pb2.PutQueuesRequest(queues=[queue]))


async def test_a_failed_commit_ends_the_process_and_leaves_the_outcome_open(tmp_path):
    with server(tmp_path, failpoints="journal.before_commit=raise:after=3") as (started, address):
        async with grpc.aio.insecure_channel(address) as channel:
            error = await refusal(put_queues(channel))

        assert reason(error) == "OUTCOME_UNKNOWN"
        _, told = started.communicate(timeout=20)
        assert started.returncode == 1
        assert told.count("server_failed") == 1
