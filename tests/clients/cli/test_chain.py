"""Chains on the command line: shown as a tree, switched, and restarted where they failed."""

from __future__ import annotations

import json

from interlock.chain import tree_of
from interlock.job import Job
from interlock.v1.job_outcome_pb2 import JobOutcome
from interlock.v1.job_pb2 import Job as Message
from interlock.v1.status_pb2 import Status
from tests.clients.cli.fake_interlock import wrapped

S = Status


def tree(root: int = 1):
    messages = [
        Message(id=1, definition="nightly", status=S.STATUS_REDWOOD_WAITING),
        Message(id=2, parent=1, step="load", iteration=1, status=S.STATUS_REDWOOD_ERROR),
        Message(
            id=3,
            parent=2,
            step="load",
            call="fetch",
            iteration=1,
            definition="report",
            status=S.STATUS_REDWOOD_ERROR,
        ),
        Message(id=4, parent=1, step="post", iteration=1, status=S.STATUS_REDWOOD_CHAINED),
        Message(id=5, parent=1, step="load", iteration=2, status=S.STATUS_REDWOOD_WAITING),
    ]
    return tree_of(root, [Job(message) for message in reversed(messages)])


def test_a_chain_is_drawn_as_a_tree_with_the_runs_of_a_step_together(interlock):
    ended = interlock("chain", "1", chain=tree())

    assert ended.code == 0
    parts = [line.split()[1:3] for line in ended.out.splitlines()[1:]]
    assert parts == [
        ["nightly", "Waiting"],
        ["step", "load"],
        ["fetch:", "report"],
        ["step", "load"],
        ["step", "post"],
    ]
    assert "(run 2)" in ended.out


def test_programs_get_the_jobs_of_a_chain_with_their_depths(interlock):
    ended = interlock("chain", "1", "--output", "jsonl", chain=tree())

    found = [json.loads(line) for line in ended.out.splitlines()]
    assert [each["depth"] for each in found] == [0, 1, 2, 1, 1]


def test_only_a_part_of_a_chain_is_shown(interlock):
    ended = interlock("chain", "2", "-q", chain=tree(2))

    assert ended.out.split() == ["2", "3"]


def test_calls_are_switched_off_and_on(interlock):
    outcome = wrapped(JobOutcome(job=7, status=S.STATUS_REDWOOD_DISABLED, revision=9))
    assert interlock("disable", "7", disable=outcome).code == 0
    assert interlock("enable", "7", enable=outcome).code == 0


def test_a_chain_is_restarted_at_a_step(interlock):
    outcome = wrapped(JobOutcome(job=8, status=S.STATUS_REDWOOD_QUEUED, revision=9))
    ended = interlock("restart", "7", "--from-step", "load", restart=outcome)

    assert ended.calls[0].keywords["start_at_step"] == "load"
    assert ended.calls[0].keywords["from_error"] is False


def test_a_restart_starts_at_one_step(interlock):
    ended = interlock("restart", "7", "--from-step", "load", "--from-error", restart=None)

    assert ended.code == 2
    assert "--from-error or --from-step" in ended.err


def test_get_says_where_in_a_chain_a_job_stands(interlock):
    call = Message(
        id=3, parent=2, step="load", call="fetch", iteration=2, status=S.STATUS_REDWOOD_HELD
    )
    ended = interlock("get", "3", get=wrapped(call), history=[], explain=None)

    assert "job 2, as call fetch of step load, run 2" in ended.out
