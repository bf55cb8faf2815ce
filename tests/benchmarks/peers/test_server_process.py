from __future__ import annotations

import sys
from contextlib import suppress

import psutil
import pytest

from benchmarks.load_process import ProcessEnded
from benchmarks.peers.server_process import ServerProcess, free_port
from tests.support.until import until

#: Says both ids when it and its child run, and then waits for ever.
WITH_CHILD = """
import os, pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
path = pathlib.Path(sys.argv[1])
path.with_suffix(".new").write_text(f"{os.getpid()} {child.pid}")
path.with_suffix(".new").rename(path)
time.sleep(600)
"""


def process(tmp_path, program, *arguments, ready):
    command = [sys.executable, "-c", program, *arguments]
    return ServerProcess(command, log=tmp_path / "log", ready=ready)


def runs(pid):
    """Whether it is there and not only waiting for its parent to notice its end."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("fault", [None, RuntimeError("it broke")])
async def test_a_server_and_its_children_end_with_the_block(fault, tmp_path):
    ids = tmp_path / "ids"
    pids: list[int] = []

    with suppress(RuntimeError):
        async with process(tmp_path, WITH_CHILD, str(ids), ready=ids.exists):
            pids += map(int, ids.read_text().split())
            assert all(map(runs, pids))
            if fault is not None:
                raise fault

    assert len(pids) == 2
    await until(lambda: not any(map(runs, pids)))


async def test_a_server_that_ends_before_it_is_ready_is_reported_with_its_last_words(tmp_path):
    with pytest.raises(ProcessEnded, match="ended with code 3: no room"):
        async with process(
            tmp_path, "print('no room', flush=True); raise SystemExit(3)", ready=lambda: False
        ):
            pass


def test_a_free_port_is_one_of_the_upper_ones():
    assert 1_024 <= free_port() <= 65_535
