"""Messages become JSON that programs can rely on."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from interlock.cli.proto_mapping import to_mapping
from interlock.v1.definition_pb2 import Definition
from interlock.v1.job_pb2 import Fault, Job, ResumeCondition, ResumeKind
from interlock.v1.status_pb2 import Lifecycle, Status


def test_ids_are_numbers_statuses_vendor_spellings_and_times_rfc_3339():
    job = Job(
        id=2**53,
        status=Status.STATUS_REDWOOD_QUEUE_HELD,
        lifecycle=Lifecycle.LIFECYCLE_REDWOOD,
        create_time=Timestamp(seconds=0, nanos=500_000_000),
    )

    mapping = to_mapping(job)

    assert mapping["id"] == 2**53
    assert mapping["status"] == "QueueHeld"
    assert mapping["lifecycle"] == "redwood"
    assert mapping["create_time"] == "1970-01-01T00:00:00.500Z"


def test_every_field_is_there_even_when_unset():
    mapping = to_mapping(Job())

    assert set(mapping) == {field.name.removesuffix("_json") for field in Job.DESCRIPTOR.fields}
    assert mapping["end_time"] is None
    assert mapping["fault"] is None
    assert mapping["messages"] == []
    assert mapping["labels"] == {}
    assert mapping["result"] is None


def test_json_texts_become_values():
    mapping = to_mapping(Job(parameters_json='{"month":"2026-10"}', result_json="[1,2]"))

    assert mapping["parameters"] == {"month": "2026-10"}
    assert mapping["result"] == [1, 2]


def test_a_result_that_is_no_json_stays_text():
    assert to_mapping(Job(result_json="oops"))["result"] == "oops"


def test_messages_inside_are_mapped_too():
    job = Job(
        fault=Fault(code="LOGON_FAILED", title="no"),
        resume_conditions=[ResumeCondition(kind=ResumeKind.RESUME_KIND_ITEM, key="inv-7")],
    )

    mapping = to_mapping(job)

    assert mapping["fault"] == {"code": "LOGON_FAILED", "title": "no", "detail": ""}
    assert mapping["resume_conditions"] == [
        {"kind": "item", "key": "inv-7", "time": None, "fired": False}
    ]


def test_durations_are_seconds():
    definition = Definition(uncertain_timeout=Duration(seconds=90))

    assert to_mapping(definition)["uncertain_timeout"] == 90.0
