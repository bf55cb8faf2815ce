"""Workflows are read whole, ordered by what depends on what, and refused where they cannot be."""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
from pathlib import Path

import pytest

from benchmarks.chain_run import ChainOrder, call_name, chain_fields
from benchmarks.wfformat import WorkflowError, read_workflow

REPOSITORY = Path(__file__).parents[2]


def document(**parents):
    return {
        "name": "diamond",
        "schemaVersion": "1.5",
        "workflow": {
            "specification": {
                "tasks": [
                    {"id": name, "name": name.rstrip("123"), "parents": list(above)}
                    for name, above in parents.items()
                ]
            },
            "execution": {
                "makespanInSeconds": 9,
                "tasks": [{"id": name, "runtimeInSeconds": 2.5} for name in parents],
            },
        },
    }


DIAMOND = document(align1=(), sort1=["align1"], sort2=["align1"], call1=["sort1", "sort2"])


def written(tmp_path, content, name="workflow.json"):
    file = tmp_path / name
    text = content if isinstance(content, str) else json.dumps(content)
    if name.endswith(".gz"):
        with gzip.open(file, "wt") as packed:
            packed.write(text)
    else:
        file.write_text(text)
    return file


@pytest.mark.parametrize("name", ["workflow.json", "workflow.json.gz"])
def test_a_workflow_is_read_with_its_levels(tmp_path, name):
    workflow = read_workflow(written(tmp_path, DIAMOND, name))

    assert [[task.id for task in group] for group in workflow.levels] == [
        ["align1"],
        ["sort1", "sort2"],
        ["call1"],
    ]
    assert workflow.dependencies == 4
    assert workflow.longest_path_s == 7.5
    assert workflow.makespan_s == 9


def test_a_level_becomes_a_step_and_a_task_a_call(tmp_path):
    workflow = read_workflow(written(tmp_path, DIAMOND))
    order = ChainOrder("f", workflow, None, 1, 0, "", prefix="chain-x")

    *definitions, chain = chain_fields(order)

    assert [each["name"] for each in definitions] == [
        "chain-x-align",
        "chain-x-call",
        "chain-x-sort",
    ]
    calls = [[call["name"] for call in step["calls"]] for step in chain["chain"]["steps"]]
    assert calls == [["align1"], ["sort1", "sort2"], ["call1"]]
    assert call_name(workflow.tasks["sort1"]) == "sort1"


def test_long_names_are_cut_where_tasks_differ_least(tmp_path):
    long = "SOME.WORKFLOW." * 10
    workflow = read_workflow(written(tmp_path, document(**{f"{long}a1": (), f"{long}b1": ()})))
    order = ChainOrder("f", workflow, None, 1, 0, "", prefix="chain-x")

    *definitions, _ = chain_fields(order)

    assert len({each["name"] for each in definitions}) == 2
    assert all(each["name"].startswith("chain-x-") for each in definitions)
    assert len({call_name(task) for task in workflow.tasks.values()}) == 2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "expected JSON"),
        ({"workflow": {"tasks": []}}, "expected WfFormat 1.4 or later"),
        (document(), "expected at least one task"),
        (document(a=["b"], b=["a"]), "wait in a circle"),
        (document(a=["b"]), "depends on b, which is not there"),
    ],
)
def test_what_is_no_workflow_is_refused(tmp_path, content, sentence):
    with pytest.raises(WorkflowError, match=sentence):
        read_workflow(written(tmp_path, content))


@pytest.mark.slow
async def test_a_workflow_runs_as_a_chain_that_keeps_its_dependencies(tmp_path):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.replay", str(written(tmp_path, DIAMOND))),
        *("--robots", "2", "--watchers", "1", "--output", "json"),
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()

    report = json.loads(out)
    assert (process.returncode, report["violated"]) == (0, []), err.decode()
    assert (report["dependencies"], report["dependencies_kept"]) == (4, 4)
    assert report["final"] == {"Completed": 8}  # the chain, its three steps and four calls
    assert report["watchers"][0]["gaps"] == 0
