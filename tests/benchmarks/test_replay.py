from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from benchmarks.replay import main
from benchmarks.replay_plan import make_plan
from benchmarks.swf import Record, Workload, read_workload
from tests.support.served import serve

SAMPLE = Path(__file__).parent / "data" / "sample.swf"
REPOSITORY = Path(__file__).parents[2]


async def replayed(*arguments: str) -> tuple[int, dict]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.replay", str(SAMPLE), "--output", "json", *arguments),
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert out, err.decode()
    assert process.returncode is not None
    return process.returncode, json.loads(out)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lifecycle", "final", "transitions"),
    [
        ("uipath", {"Faulted": 3, "Stopped": 3, "Successful": 24}, 90),
        ("redwood", {"Error": 3, "Canceled": 3, "Completed": 24}, 210),
    ],
)
async def test_a_workload_runs_to_the_ends_that_its_log_says(lifecycle, final, transitions):
    code, report = await replayed("--lifecycle", lifecycle, "--watchers", "3", "--robots", "3")

    assert report["violated"] == []
    assert code == 0
    assert report["final"] == final
    assert report["transitions"] == transitions
    assert [watcher["events"] for watcher in report["watchers"]] == [transitions] * 3


@pytest.mark.slow
async def test_a_workload_runs_in_time_that_is_pressed_together():
    code, report = await replayed("--speed", "20000", "--jobs", "10", "--lifecycle", "uipath")

    assert (code, report["jobs"], report["speed"]) == (0, 10, "20000")
    # From the first submission to the end of the last job it is at least what the log says.
    assert report["seconds"] >= (395 + 61 - 42) / 20_000


@pytest.mark.slow
async def test_a_server_that_goes_on_keeps_nothing_of_a_replay_but_its_jobs(tmp_path):
    async with serve(tmp_path) as served:
        code, report = await replayed("--address", served.address, "--lifecycle", "uipath")

        assert (code, report["violated"]) == (0, [])
        assert not served.partition.world.definitions
        assert not served.partition.world.robots
        assert not [name for name in served.partition.world.queues if name.startswith("replay")]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--speed", "0"], "expected a number above 0, such as 1000, or max, but got '0'"),
        (["--speed", "fast"], "expected a number above 0, such as 1000, or max, but got 'fast'"),
        (["--speed", "nan"], "expected a number above 0, such as 1000, or max, but got 'nan'"),
        (["--robots", "0"], "expected a number of 1 to 1,000, but got '0'"),
        (["--watchers", "-1"], "expected a number of 0 to 1,000, but got '-1'"),
        (["--jobs", "many"], "expected a number of 1 or more, but got 'many'"),
        (["--lifecycle", "k8s"], "invalid choice: 'k8s'"),
        (["--address", "here"], "expected host:port or unix:PATH, but got 'here'"),
        (["--what"], "unrecognized arguments: --what"),
    ],
)
def test_a_wrong_option_is_named(arguments, sentence, capsys):
    with pytest.raises(SystemExit) as ended:
        main([str(SAMPLE), *arguments])

    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_a_file_that_is_not_there_ends_with_2(capsys, tmp_path):
    assert main([str(tmp_path / "none.swf")]) == 2

    assert "cannot be read: No such file or directory" in capsys.readouterr().err


@pytest.mark.slow
def test_a_server_that_is_not_there_ends_with_5(capsys):
    assert main([str(SAMPLE), "--address", "127.0.0.1:1"]) == 5

    assert "expected a server at 127.0.0.1:1" in capsys.readouterr().err


def test_queues_and_applications_of_the_log_are_queues_and_definitions():
    plan = make_plan(read_workload(SAMPLE), lifecycle="uipath", prefix="p", jobs_max=None)

    assert plan.queues == ["p.queue-batch", "p.queue-interactive", "p.queue-none"]
    assert plan.definitions == ["p.app-1", "p.app-2", "p.app-3", "p.app-4", "p.app-none"]
    assert {spec["priority"] for spec in plan.specs if "interactive" in spec["queue"]} == {80}


def test_a_queue_whose_name_no_queue_can_have_gets_one_like_it():
    record = Record(1, 0.0, 1.0, 1, "completed", 1, 1, 1, 3)
    workload = Workload([record], {3: "héavy&long"})

    plan = make_plan(workload, lifecycle="redwood", prefix="p", jobs_max=None)

    assert plan.queues == ["p.queue-h-avy-long"]


def test_only_so_many_jobs_are_planned_as_were_asked_for():
    plan = make_plan(read_workload(SAMPLE), lifecycle="redwood", prefix="p", jobs_max=4)

    assert len(plan.specs) == 4
    assert [plan.expected(index) for index in range(4)] == ["Completed"] * 3 + ["Error"]
