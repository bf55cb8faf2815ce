"""Documents are read strictly and written without what has its default."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from interlock.document import DocumentError, from_document, length_text, read_length, to_document
from interlock.v1.definition_pb2 import Definition
from interlock.v1.job_service_pb2 import NewJob
from interlock.v1.status_pb2 import Status

NIGHTLY = {
    "name": "nightly",
    "lifecycle": "redwood",
    "parameters": [{"name": "day", "type": "string", "default": "monday"}],
    "labels": {"team": "treasury"},
    "min_open": "1h",
    "overdue_policy": "overdue",
    "event_raises": [{"event": "done", "statuses": ["Completed", "Error"]}],
    "restart_behaviors": [{"status": "Error", "action": "restart", "delay": "5m"}],
    "keep": {"count": 100, "age": "30d", "statuses": ["Completed"]},
    "chain": {
        "steps": [{"name": "one", "calls": [{"name": "a", "definition": "load"}]}],
        "handlers": [{"on": "error", "action": "restart_step"}],
    },
}


def test_a_document_and_its_message_say_the_same():
    message = from_document(NIGHTLY, Definition)

    assert message.event_raises[0].statuses == [
        Status.STATUS_REDWOOD_COMPLETED,
        Status.STATUS_REDWOOD_ERROR,
    ]
    assert message.restart_behaviors[0].delay.seconds == 300
    assert to_document(message) == NIGHTLY


def test_the_newer_name_of_chained_is_accepted():
    raises = [{"event": "e", "statuses": ["Workflowed"]}]

    message = from_document({"lifecycle": "redwood", "event_raises": raises}, Definition)

    assert message.event_raises[0].statuses == [Status.STATUS_REDWOOD_CHAINED]


def test_statuses_are_those_of_the_lifecycle_of_the_document():
    raises = [{"event": "e", "statuses": ["Running"]}]

    message = from_document({"lifecycle": "uipath", "event_raises": raises}, Definition)

    assert message.event_raises[0].statuses == [Status.STATUS_UIPATH_RUNNING]


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"qeue": "a"}, r"definition: there is no field 'qeue' \(known: auto_submit, "),
        ({"parameters": "x"}, "definition.parameters: expected a list, but got 'x'"),
        ({"parameters": ["x"]}, r"definition.parameters\[0\]: expected a table of fields"),
        ({"labels": ["x"]}, "definition.labels: expected a table of texts"),
        ({"priority": "high"}, "definition.priority: "),
        ({"resources": [1]}, r"definition.resources\[0\]: "),
        ({"min_open": "soon"}, "definition.min_open: expected a length of time such as 90s"),
        ({"overdue_policy": "later"}, "expected one of scheduled, overdue, canceling, held"),
        (
            {"event_raises": [{"statuses": ["Suspended"]}]},
            r"definition.event_raises\[0\].statuses\[0\]: expected a redwood status",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(document, sentence):
    with pytest.raises(DocumentError, match=sentence):
        from_document(document, Definition)


@pytest.mark.parametrize("start", ["2026-11-30T07:00:00Z", datetime(2026, 11, 30, 7, tzinfo=UTC)])
def test_an_instant_has_a_zone(start):
    message = from_document({"start_time": start}, NewJob)

    assert to_document(message) == {"start_time": "2026-11-30T07:00:00Z"}
    with pytest.raises(DocumentError, match="has none"):
        from_document({"start_time": "2026-11-30T07:00:00"}, NewJob)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("1h 30m", 5_400), ("1d", 86_400), ("250ms", 0.25), ("1.5h", 5_400)],
)
def test_lengths_of_time_are_read(text, seconds):
    assert read_length(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "h", "5 parsecs", "5m later"])
def test_what_is_no_length_of_time_is_refused(text):
    with pytest.raises(ValueError, match="expected a length of time"):
        read_length(text)


@pytest.mark.parametrize("seconds", [0.25, 1, 90, 3_600, 5_400, 86_400, 90_061])
def test_a_length_of_time_is_written_so_that_it_is_read_again(seconds):
    assert read_length(length_text(seconds)) == seconds


def test_a_length_of_time_may_be_a_timedelta_or_seconds():
    for given in (timedelta(minutes=5), 300, 300.0, "5m"):
        assert from_document({"min_open": given}, Definition).min_open.seconds == 300
