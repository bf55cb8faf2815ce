from __future__ import annotations

import sys

import psutil
import pytest

from benchmarks.load_process import LoadProcess, ProcessEnded, clean_environment
from tests.support.until import until

TELLING = "tests.support.telling_load"


def runs(pid):
    """Whether it is there and not only waiting for its parent to notice its end."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_process_and_its_children_end_with_the_block():
    async with LoadProcess(TELLING, {}) as process:
        pids = (await process.hear())["pids"]
        assert all(map(runs, pids))

    await until(lambda: not any(map(runs, pids)))


async def test_a_process_has_the_interpreter_and_the_settings_it_is_given(tmp_path):
    other = tmp_path / "python"
    other.write_text(f'#!/bin/sh\nOTHER=yes exec {sys.executable} "$@"\n')
    other.chmod(0o755)

    async with LoadProcess(TELLING, {}, interpreter=other, environment={"ONE": "1"}) as process:
        environment = (await process.hear())["environment"]

    assert (environment["OTHER"], environment["ONE"]) == ("yes", "1")


async def test_an_interpreter_that_fails_is_reported_with_its_last_words():
    with pytest.raises(ProcessEnded, match="no_such_module"):
        async with LoadProcess("benchmarks.no_such_module", {}) as process:
            await process.hear()


@pytest.mark.parametrize("name", ["INTERLOCK_LISTEN", "PGOPTIONS", "ETCD_NAME", "PREFECT_API_URL"])
def test_settings_of_an_operator_do_not_change_what_is_measured(name, monkeypatch):
    monkeypatch.setenv(name, "something")

    assert name not in clean_environment()
