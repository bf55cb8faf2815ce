"""`interlock definition put`: the keep rule is changed in the parts that are given."""

from __future__ import annotations

from datetime import timedelta

from google.protobuf.duration_pb2 import Duration

from interlock.v1.definition_pb2 import Definition, Keep
from interlock.v1.status_pb2 import Lifecycle, Status
from tests.clients.cli.fake_interlock import wrapped


def report(**fields):
    return wrapped(
        Definition(name="Report", lifecycle=Lifecycle.LIFECYCLE_REDWOOD, priority=50, **fields)
    )


KEPT = report(
    keep=Keep(count=10, age=Duration(seconds=86_400), statuses=[Status.STATUS_REDWOOD_COMPLETED])
)


def put(interlock, before, *options):
    ended = interlock(
        "definition", "put", "Report", *options, list_definitions=[before], put_definitions=[KEPT]
    )
    ((written,),) = ended.calls[1].arguments
    return written


def test_a_keep_rule_is_given_in_words(interlock):
    written = put(interlock, report(), "--keep-count", "100", "--keep-age", "30d")

    assert written["keep"] == {"count": 100, "age": timedelta(days=30)}


def test_a_part_of_the_keep_rule_changes_and_the_rest_stays(interlock):
    written = put(interlock, KEPT, "--keep-count", "0", "--keep-force")

    assert written["keep"] == {"age": 86_400.0, "statuses": ["Completed"], "force": True}


def test_without_its_options_the_keep_rule_stays(interlock):
    written = put(interlock, KEPT, "--priority", "60", "--recording", "failed")

    assert written["keep"]["count"] == 10
    assert written["recording"] == "failed"


def test_the_keep_rule_is_shown_in_words(interlock):
    row = interlock("definition", "list", list_definitions=[KEPT]).out

    assert "keeps the newest 10 and those of the last 1d; deletes only Completed" in row
