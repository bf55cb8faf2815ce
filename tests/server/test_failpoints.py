from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from interlock_server.failpoints import ENVIRONMENT, fp


def run(program, armed):
    return subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, ENVIRONMENT: armed},
    )


def test_nothing_happens_at_a_place_that_is_not_armed():
    fp("somewhere")


def test_an_armed_place_breaks_every_time(armed_failpoints):
    armed_failpoints("here=raise; there=sleep:0")

    for _ in range(2):
        with pytest.raises(OSError, match="failpoint here"):
            fp("here")
    fp("there")


def test_a_place_lets_the_first_passages_through_and_breaks_only_once(armed_failpoints):
    armed_failpoints("here=raise:after=2:once")

    fp("here")
    fp("here")
    with pytest.raises(OSError, match="here"):
        fp("here")
    fp("here")


@pytest.mark.parametrize(("armed", "status"), [("a=kill", -signal.SIGKILL), ("a=exit:3", 3)])
def test_the_environment_arms_a_process(armed, status):
    program = "from interlock_server.failpoints import fp; fp('b'); fp('a')"

    assert run(program, armed).returncode == status


@pytest.mark.parametrize("text", ["a", "a=burn", "=kill", "a=sleep:long", "a=kill:after=x"])
def test_what_cannot_be_understood_is_refused(armed_failpoints, text):
    with pytest.raises(ValueError, match="expected"):
        armed_failpoints(text)
