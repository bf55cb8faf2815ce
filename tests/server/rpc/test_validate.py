"""Fields are checked at the door, and the refusal names the field and what was expected."""

from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from interlock.v1 import definition_pb2
from interlock_server.rpc import validate
from interlock_server.rpc.errors import InvalidArgument, reason_name


def reason_of(check, *arguments, **options) -> str:
    with pytest.raises(InvalidArgument) as refused:
        check(*arguments, **options)
    return reason_name(refused.value.reason)


@pytest.mark.parametrize("text", ["a", "A.b-c_d:1", "x" * 128])
def test_a_name_is_taken_as_it_is(text):
    assert validate.name("queue", text) == text


@pytest.mark.parametrize("text", ["", "x" * 129, "../x", "a b", "a\n", "a\0", "\u202ex", "é", "😀"])
def test_anything_else_is_no_name(text):
    assert reason_of(validate.name, "queue", text) == "INVALID_NAME"


@pytest.mark.parametrize("text", ["a\x00b", "a\nb", "a\x1b[31m", "a\u2028b", "a\u202eb", "a\x85b"])
def test_control_characters_are_refused(text):
    assert reason_of(validate.text, "reason", text, 100) == "INVALID_TEXT"


def test_a_text_of_several_lines_may_have_line_ends_and_no_other_controls():
    assert validate.text("text", "a\n\tb", 100, lines=True) == "a\n\tb"
    assert reason_of(validate.text, "text", "a\x00b", 100, lines=True) == "INVALID_TEXT"


def test_a_text_that_is_too_long_is_refused():
    assert reason_of(validate.reason, "x" * 1_025) == "INVALID_TEXT"


def test_sql_is_a_text_like_any_other():
    assert validate.labels("labels", {"'; DROP TABLE job;--": "x"}) == {"'; DROP TABLE job;--": "x"}


@pytest.mark.parametrize("text", ["x" * 15, "x" * 65, "x" * 15 + " ", "é" * 20])
def test_a_request_id_has_16_to_64_plain_characters(text):
    assert reason_of(validate.request_id, text) == "INVALID_REQUEST_ID"


def test_a_request_id_may_be_left_out():
    assert validate.request_id("") == ""


def test_targets_are_named_once_each():
    assert reason_of(validate.identifiers, "jobs", [1, 2, 1]) == "DUPLICATE_TARGET"
    assert reason_of(validate.identifiers, "jobs", []) == "EMPTY_BATCH"
    assert reason_of(validate.identifiers, "jobs", range(1, 1_002)) == "BATCH_TOO_LARGE"
    assert reason_of(validate.identifiers, "jobs", [1, 0]) == "INVALID_ID"
    assert reason_of(validate.identifiers, "jobs", [1, 1 << 63]) == "OUT_OF_BOUNDS"


@pytest.mark.parametrize(
    "stamp",
    [
        Timestamp(seconds=0),
        Timestamp(seconds=-1),
        Timestamp(seconds=-3_155_760_000),
        Timestamp(seconds=253_402_300_800),
        Timestamp(seconds=32_503_593_600),
        Timestamp(seconds=1, nanos=-1),
        Timestamp(seconds=1, nanos=2_000_000_000),
    ],
)
def test_an_instant_before_1970_or_after_2999_is_refused(stamp):
    assert reason_of(validate.timestamp_ms, "start_time", stamp) == "INVALID_TIME"


def test_an_instant_is_cut_to_milliseconds():
    assert validate.timestamp_ms("start_time", Timestamp(seconds=2, nanos=3_999_999)) == 2_003


@pytest.mark.parametrize(
    "length",
    [Duration(), Duration(seconds=-1), Duration(seconds=10**10), Duration(nanos=2_000_000_000)],
)
def test_a_length_of_time_is_more_than_nothing_and_at_most_ten_years(length):
    assert reason_of(validate.duration_ms, "stop_after", length) == "INVALID_TIME"


@pytest.mark.parametrize("text", ["[", "[]", "1", "null", '{"a":NaN}', '{"a":1}x', "[" * 5_000])
def test_parameters_are_a_json_object(text):
    assert reason_of(validate.json_object, "parameters_json", text) == "INVALID_PARAMETER"


@pytest.mark.parametrize("text", ["nope", '{"a":nope}', '{"a"}', "1 2", "[" * 5_000])
def test_a_result_is_a_json_value(text):
    assert reason_of(validate.json_value, "result_json", text) == "INVALID_PARAMETER"


def test_json_that_is_too_large_is_refused():
    text = '{"a":"' + "é" * 140_000 + '"}'

    assert reason_of(validate.json_object, "parameters_json", text) == "INVALID_PARAMETER"


def test_no_parameters_are_an_empty_object():
    assert validate.json_object("parameters_json", "") == "{}"


def test_a_field_that_only_the_server_sets_is_refused():
    given = definition_pb2.Definition(name="x", version=3)

    assert reason_of(validate.unset, "definition", given, ("version",)) == "READ_ONLY_FIELD"


def test_a_failure_is_never_refused_for_how_it_is_told():
    assert validate.cleaned("a\x00b\nc" + "x" * 100, 6) == "a b cx"
