"""`interlock explain` draws the tree of reasons, and follows it when asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from interlock.explanation import explanation_of
from interlock.v1.explain_service_pb2 import Explanation, Reason, ReasonKind
from interlock.v1.status_pb2 import Status

SINCE = datetime(2026, 11, 1, 3, 0, tzinfo=UTC)


def reason(kind, sentence, **fields):
    found = Reason(kind=ReasonKind.Value(f"REASON_KIND_{kind}"), sentence=sentence, **fields)
    found.since.FromDatetime(SINCE)
    return found


QUEUED = Explanation(
    job=7,
    status=Status.STATUS_REDWOOD_QUEUED,
    summary="no robot can take it",
    reasons=[
        reason(
            "NO_ROBOT",
            "no robot can take it",
            current=True,
            reasons=[reason("SERVER", "server sap is stopped", current=True, by="olga")],
        ),
        reason("LOCK", "lock 'ledger' is held by job 3 (Running)", jobs=[3]),
    ],
)


def test_the_tree_shows_what_is_behind_what_and_what_comes_next(interlock):
    out = interlock("explain", "7", explain=explanation_of(QUEUED)).out

    job, robots, server, lock = out.splitlines()
    assert job.split() == ["job", "7", "Queued"]
    assert robots.startswith("now")
    assert "no robot can take it, for" in robots
    assert "server sap is stopped, by olga, for" in server
    assert server.index("server sap") > robots.index("no robot")
    assert lock.startswith("next")


def test_programs_get_the_whole_explanation(interlock):
    found = json.loads(interlock("explain", "7", "-o", "json", explain=explanation_of(QUEUED)).out)

    assert found["status"] == "Queued"
    assert found["reasons"][0]["kind"] == "no_robot"
    assert found["reasons"][0]["reasons"][0]["by"] == "olga"
