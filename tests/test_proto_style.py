"""The protos are the contract: everything is explained, named by the rules, and frozen."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.support.api_listing import list_api
from tests.support.proto_text import Declaration, read_declarations
from tests.support.sources import PROTOS, REPOSITORY, relative

GOLDEN = REPOSITORY / "tests/golden/api_v1.txt"
SOURCES = sorted((PROTOS / "interlock/v1").glob("*.proto"))
NAMED_BY_COMMENT = {"message", "enum", "service"}

every_proto = pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)


def declarations_of(path) -> list[Declaration]:
    return read_declarations(path.read_text(encoding="utf-8"))


def places(path, declarations) -> list[str]:
    return [
        f"{relative(path)}:{found.line} {found.kind} {'.'.join([*found.parents, found.name])}"
        for found in declarations
    ]


def prefix_of(enum: str) -> str:
    """Return QUEUE_KIND_ for QueueKind."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", enum).upper() + "_"


@every_proto
def test_everything_declared_has_a_comment(path):
    silent = [
        found for found in declarations_of(path) if found.kind != "oneof" and not found.comment
    ]

    assert places(path, silent) == []


@every_proto
def test_the_comment_of_a_type_begins_with_its_name(path):
    unnamed = [
        found
        for found in declarations_of(path)
        if found.kind in NAMED_BY_COMMENT and not re.match(rf"{found.name}\b", found.comment)
    ]

    assert places(path, unnamed) == []


@every_proto
def test_enum_values_carry_the_name_of_their_enum_and_zero_is_unspecified(path):
    wrong = [
        found
        for found in declarations_of(path)
        if found.kind == "value"
        and (
            not found.name.startswith(prefix_of(found.parents[-1]))
            or (int(found.number, 0) == 0) != found.name.endswith("_UNSPECIFIED")
        )
    ]

    assert places(path, wrong) == []


@every_proto
def test_a_proto_is_in_the_package_that_its_folder_says(path):
    assert re.search(r"^package interlock\.v1;$", path.read_text(encoding="utf-8"), re.MULTILINE)


@every_proto
def test_a_file_has_at_most_one_service_and_is_named_for_it(path):
    services = [found.name for found in declarations_of(path) if found.kind == "service"]

    expected = "".join(word.title() for word in path.stem.split("_"))
    assert services == ([expected] if path.stem.endswith("_service") else [])


def test_the_reader_of_protos_finds_what_the_generator_found():
    read = Counter(
        found.kind
        for path in SOURCES
        for found in declarations_of(path)
        if found.kind in {"message", "field", "value", "rpc"}
    )

    assert read == Counter(line.split(" ", 1)[0] for line in list_api())


def test_nothing_that_was_promised_has_changed():
    promised = GOLDEN.read_text(encoding="utf-8").splitlines() if GOLDEN.exists() else []
    listed = list_api()

    gone = sorted(set(promised) - set(listed))
    added = sorted(set(listed) - set(promised))

    assert gone == [], "these lines of the API were promised; add beside them instead"
    assert added == [], f"promise these lines too: run `make api` and commit {relative(GOLDEN)}"


def test_a_reader_of_protos_keeps_comments_with_what_they_are_about():
    source = """
// Not about Job.

// Job is one run.
message Job {
  // The key.
  string id = 1 [(x) = {a: 1}, deprecated = true];  // trailing
  oneof outcome {
    // Text with https://nowhere.
    string text = 2;
  }
  map<string, int32> counts = 3;
  reserved 4 to 6;
}
// JobService serves.
service JobService {
  // Get gets.
  rpc Get(Job) returns (stream Job) { option (y) = { get: "/v1//x" }; }
}
"""

    found = [(each.kind, each.name, each.comment) for each in read_declarations(source)]

    assert found == [
        ("message", "Job", "Job is one run."),
        ("field", "id", "The key."),
        ("oneof", "outcome", ""),
        ("field", "text", "Text with https://nowhere."),
        ("field", "counts", ""),
        ("service", "JobService", "JobService serves."),
        ("rpc", "Get", "Get gets."),
    ]
