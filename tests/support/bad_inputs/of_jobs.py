"""Bad inputs of submissions, lists, operator messages and resume conditions."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from interlock.v1 import job_pb2
from interlock.v1 import job_service_pb2 as pb
from interlock.v1.filter_pb2 import Filter
from tests.support.bad_inputs.by_field import BAD_TEXTS, EMOJI, Wrong, named, text
from tests.support.bad_inputs.row import BadInput
from tests.support.bad_inputs.scene import FAR

LARGE_JSON: Final = '{"a": "' + "x" * 256 * 1_024 + '"}'
BAD_INSTANTS: Final = (
    ("1969", Timestamp(seconds=-1)),
    ("a hundred years ago", Timestamp(seconds=-1_400_000_000)),
    ("in year 10000", Timestamp(seconds=253_402_300_800)),
    ("of -1 nanoseconds", Timestamp(seconds=2_000_000_000, nanos=-1)),
    ("of 2e9 nanoseconds", Timestamp(seconds=2_000_000_000, nanos=2_000_000_000)),
    ("at the largest number", Timestamp(seconds=(1 << 63) - 1)),
)
BAD_LENGTHS: Final = (
    ("0", Duration()),
    ("-1 s", Duration(seconds=-1)),
    ("-1 ns", Duration(nanos=-1)),
    ("1,000 years", Duration(seconds=31_557_600_000)),
)
BAD_JSON: Final = (
    ("an array", "[]"),
    ("cut off", '{"a": '),
    ("no JSON", "nope"),
    ("NaN", '{"a": NaN}'),
    ("very deep", "[" * 100_000),
    ("too large", LARGE_JSON),
)

#: Fields of NewJob: what, fields, reason.
_NEW: Final[list[Wrong]] = [
    *named("definition"),
    *((w, f, r) for w, f, r in named("queue") if f["queue"]),
    *((w, f, r) for w, f, r in named("robot") if f["robot"]),
    *text("reference", 128),
    ("an unknown definition", {"definition": "nothing"}, "DEFINITION_NOT_FOUND"),
    ("an unknown queue", {"queue": "nowhere"}, "QUEUE_NOT_FOUND"),
    ("count 10,001", {"count": 10_001}, "INVALID_NUMBER"),
    ("two for one robot", {"count": 2, "robot": "robot-1"}, "INVALID_FIELD"),
    ("priority 101", {"priority": 101}, "INVALID_NUMBER"),
    ("priority -1", {"priority": -1}, "INVALID_NUMBER"),
    *(
        (f"parameters {what}", {"parameters_json": json}, "INVALID_PARAMETER")
        for what, json in BAD_JSON
    ),
    *((f"start_time {what}", {"start_time": at}, "INVALID_TIME") for what, at in BAD_INSTANTS),
    *((f"trigger_time {what}", {"trigger_time": at}, "INVALID_TIME") for what, at in BAD_INSTANTS),
    *((f"stop_after {what}", {"stop_after": of}, "INVALID_TIME") for what, of in BAD_LENGTHS),
    *((f"kill_after {what}", {"kill_after": of}, "INVALID_TIME") for what, of in BAD_LENGTHS),
    ("33 labels", {"labels": {f"k{n}": "v" for n in range(33)}}, "INVALID_FIELD"),
    ("a label without a key", {"labels": {"": "v"}}, "INVALID_FIELD"),
    ("a label too long", {"labels": {"k": "v" * 129}}, "INVALID_TEXT"),
    ("a key with an escape", {"labels": {"\x1b[31m": "v"}}, "INVALID_TEXT"),
]
#: Fields of NewJob that are fine in themselves; the reason does not come from a field.
_REFUSED: Final[list[Wrong]] = [
    ("hold of a UiPath job", {"definition": "invoice", "hold": True}, "WRONG_LIFECYCLE"),
    ("a start of a UiPath job", {"definition": "invoice", "start_time": FAR}, "WRONG_LIFECYCLE"),
    ("a scheduled end of a Redwood job", {"stop_after": Duration(seconds=1)}, "WRONG_LIFECYCLE"),
    ("a second one like it", {"definition": "invoice", "robot": "robot-1"}, "JOB_ALREADY_PENDING"),
    ("no required parameter", {"definition": "typed"}, "INVALID_PARAMETER"),
    (
        "a parameter of another type",
        {"definition": "typed", "parameters_json": '{"month": 1}'},
        "INVALID_PARAMETER",
    ),
    (
        "a number that is true",
        {"definition": "typed", "parameters_json": '{"month": "May", "pages": true}'},
        "INVALID_PARAMETER",
    ),
    (
        "an unknown parameter",
        {"definition": "typed", "parameters_json": '{"month": "May", "year": 1}'},
        "INVALID_PARAMETER",
    ),
    (
        "10,001 characters for a UiPath job",
        {"definition": "invoice", "parameters_json": '{"a": "' + "x" * 9_993 + '"}'},
        "INVALID_PARAMETER",
    ),
]
_BATCHES: Final[list[tuple[str, list[pb.NewJob], str]]] = [
    ("no jobs", [], "EMPTY_BATCH"),
    ("1,001 jobs", [pb.NewJob()] * 1_001, "BATCH_TOO_LARGE"),
    ("a million empty jobs", [pb.NewJob()] * 1_000_000, "BATCH_TOO_LARGE"),
    (
        "12,000 jobs by count",
        [pb.NewJob(definition="report", count=6_000)] * 2,
        "BATCH_TOO_LARGE",
    ),
]


def _new(**fields: Any) -> pb.SubmitJobsRequest:
    given = {"definition": "report", "queue": "finance", **fields}
    return pb.SubmitJobsRequest(jobs=[pb.NewJob(**given)])


def _of_submissions() -> list[BadInput]:
    rpc = "JobService/SubmitJobs"
    return [
        *(
            BadInput(rpc, what, _new(**fields), why, f"jobs[0].{next(iter(fields))}")
            if why.startswith("INVALID") and len(fields) == 1
            else BadInput(rpc, what, _new(**fields), why)
            for what, fields, why in _NEW
        ),
        *(BadInput(rpc, what, _new(**fields), why) for what, fields, why in _REFUSED),
        *(
            BadInput(rpc, f"in all {what}", pb.SubmitJobsRequest(jobs=new), why, "jobs")
            for what, new, why in _BATCHES
        ),
        BadInput(
            rpc,
            "a bad one among good ones",
            pb.SubmitJobsRequest(
                jobs=[pb.NewJob(definition="report"), pb.NewJob(definition="a/b")]
            ),
            "INVALID_NAME",
            "jobs[1].definition",
        ),
    ]


def _of_lists() -> list[BadInput]:
    rpc = "JobService/ListJobs"
    return [
        BadInput(rpc, "scope 9", pb.ListJobsRequest(scope=9), "INVALID_FIELD", "scope"),  # type: ignore[arg-type]
        BadInput(
            rpc,
            "the token of another list",
            lambda scene: pb.ListJobsRequest(page_token=scene.queues_token),
            "INVALID_PAGE_TOKEN",
            "page_token",
        ),
        BadInput(
            rpc,
            "a token of another filter",
            lambda scene: pb.ListJobsRequest(
                page_token=scene.stubs.jobs.ListJobs(
                    pb.ListJobsRequest(page_size=1)
                ).next_page_token,
                filter=Filter(queues=["finance"]),
            ),
            "INVALID_PAGE_TOKEN",
        ),
        BadInput(
            rpc,
            "a token with a flipped bit",
            lambda scene: pb.ListJobsRequest(
                page_size=1,
                page_token=_flipped(
                    scene.stubs.jobs.ListJobs(pb.ListJobsRequest(page_size=1)).next_page_token
                ),
            ),
            "INVALID_PAGE_TOKEN",
        ),
    ]


def _flipped(token: str) -> str:
    middle = len(token) // 2
    return token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]


def _of_replies() -> list[BadInput]:
    def reply(text: str, message: str = "open_message") -> Any:
        return lambda scene: pb.ReplyToMessageRequest(message=getattr(scene, message), reply=text)

    rpc = "JobService/ReplyToMessage"
    return [
        BadInput(rpc, "an empty reply", reply(""), "REPLY_REFUSED"),
        BadInput(rpc, "a blank reply", reply("  "), "REPLY_REFUSED"),
        BadInput(rpc, "no match", reply("May"), "REPLY_REFUSED", metadata=("pattern",)),
        BadInput(
            rpc,
            "no choice",
            reply("perhaps", "choice_message"),
            "REPLY_REFUSED",
            metadata=("choices",),
        ),
        BadInput(rpc, "a closed message", reply("yes", "closed_message"), "MESSAGE_CLOSED"),
        BadInput(rpc, "a reply too long", reply("x" * 4_097), "INVALID_TEXT", "reply"),
        *(
            BadInput(rpc, f"a reply with {what}", reply(value), "INVALID_TEXT", "reply")
            for what, value in BAD_TEXTS
            if what != "CRLF"
        ),
    ]


def _of_conditions() -> list[BadInput]:
    def fire(kind: int, key: str) -> pb.FireResumeConditionsRequest:
        return pb.FireResumeConditionsRequest(kind=kind, key=key)  # type: ignore[arg-type]

    rpc = "JobService/FireResumeConditions"
    person = job_pb2.RESUME_KIND_PERSON
    return [
        BadInput(rpc, "no kind", fire(0, "task-1"), "INVALID_FIELD", "kind"),
        BadInput(rpc, "the kind of jobs", fire(1, "1"), "INVALID_FIELD", "kind"),
        BadInput(rpc, "kind 9", fire(9, "task-1"), "INVALID_FIELD", "kind"),
        BadInput(rpc, "no key", fire(person, ""), "INVALID_FIELD", "key"),
        BadInput(rpc, "a key too long", fire(person, "x" * 257), "INVALID_TEXT", "key"),
        BadInput(rpc, "a key with NUL", fire(person, "a\0b"), "INVALID_TEXT", "key"),
        BadInput(rpc, "an emoji with an escape", fire(person, f"{EMOJI * 90}\x1b"), "INVALID_TEXT"),
    ]


def of_jobs() -> list[BadInput]:
    """All of them."""
    return [*_of_submissions(), *_of_lists(), *_of_replies(), *_of_conditions()]
