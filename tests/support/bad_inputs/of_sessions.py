"""Wrong words in a robot's session: those that end it, and reports that are refused one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp

from interlock.v1 import robot_service_pb2 as pb
from interlock.v1.job_pb2 import RESUME_KIND_JOB, RESUME_KIND_PERSON, ResumeCondition
from interlock.v1.job_pb2 import RESUME_KIND_TIMER as TIMER
from tests.support.bad_inputs.by_field import BAD_NAMES, BEYOND_63_BITS
from tests.support.bad_inputs.row import code_of
from tests.support.raw_robot import hello

if TYPE_CHECKING:
    from grpc import StatusCode

    from tests.support.bad_inputs.scene import Scene

R: Final = pb.ReportKind
#: The robot of bad sessions; nobody else's.
NAME: Final = "bad-robot"
MALFORMED: Final = b"\x0a\x7f"


class BadSession(NamedTuple):
    """What a robot says, in order, and how its session has to end."""

    what: str
    #: Each is the argument of a SessionRequest by name, or bytes. A good Hello comes before them.
    said: Sequence[dict[str, Any] | bytes]
    reason: str
    field: str = ""
    metadata: tuple[str, ...] = ()
    #: Whether a good Hello comes first.
    welcomed: bool = True

    @property
    def id(self) -> str:
        """How a test of it is called."""
        return self.what.replace(" ", "_")

    @property
    def code(self) -> StatusCode:
        """The status code that belongs to its reason."""
        return code_of(self.reason)


class BadReport(NamedTuple):
    """A report of robot-1 that is refused while the session goes on."""

    what: str
    job: Callable[[Scene], int]
    fence: int
    kind: int
    reason: str
    detail: dict[str, Any] = {}  # noqa: RUF012  never changed
    metadata: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """How a test of it is called."""
        return self.what.replace(" ", "_")


def _first(what: str, said: dict[str, Any] | bytes, reason: str, field: str = "") -> BadSession:
    return BadSession(what, [said], reason, field, welcomed=False)


def _hello(what: str, reason: str, **fields: Any) -> BadSession:
    field = f"hello.{next(iter(fields))}"
    given = {"definitions": ["report"], **fields}
    return _first(f"Hello with {what}", {"hello": hello(**{"name": NAME, **given})}, reason, field)


def _named(what: str, name: str) -> BadSession:
    message = pb.Hello(robot=name, instance="x" * 16, definitions=["report"], slots=1)
    return _first(f"Hello of a robot {what}", {"hello": message}, "INVALID_NAME", "hello.robot")


_RUNNING: Final = pb.RunningJob
_HELLOS: Final = (
    *(_named(what, name) for what, name in BAD_NAMES),
    _hello("a short instance", "INVALID_FIELD", instance="short"),
    _hello("no instance", "INVALID_FIELD", instance=""),
    _hello("no definitions", "EMPTY_BATCH", definitions=[]),
    _hello("10,001 definitions", "BATCH_TOO_LARGE", definitions=[f"d{n}" for n in range(10_001)]),
    _hello("a definition twice", "DUPLICATE_TARGET", definitions=["a", "a"]),
    _hello("a definition with a slash", "INVALID_NAME", definitions=["a/b"]),
    _hello("a queue with a slash", "INVALID_NAME", queues=["a/b"]),
    _hello("a server with a slash", "INVALID_NAME", server="a/b"),
    _hello("a resource with a slash", "INVALID_NAME", resources=["a/b"]),
    _hello("65 resources", "BATCH_TOO_LARGE", resources=[f"r{n}" for n in range(65)]),
    _hello("no slots", "INVALID_NUMBER", slots=0),
    _hello("10,001 slots", "INVALID_NUMBER", slots=10_001),
    _hello("a host too long", "INVALID_TEXT", host="x" * 129),
    _hello("a host with an escape", "INVALID_TEXT", host="\x1b[31m"),
    _hello("job 0 running", "INVALID_ID", running=[_RUNNING(job=0)]),
    _hello("a job beyond 63 bits", "OUT_OF_BOUNDS", running=[_RUNNING(job=BEYOND_63_BITS)]),
    _hello("a job twice", "DUPLICATE_TARGET", running=[_RUNNING(job=1)] * 2),
    _hello("10,001 jobs", "BATCH_TOO_LARGE", running=[_RUNNING(job=1)] * 10_001),
)
_FIRST_WORDS: Final = (
    BadSession("nothing at all", [], "HELLO_REQUIRED", welcomed=False),
    _first("a heartbeat first", {"heartbeat": pb.Heartbeat()}, "HELLO_REQUIRED"),
    _first("reports first", {"reports": pb.ReportBatch(sequence=1)}, "HELLO_REQUIRED"),
    _first("a goodbye first", {"goodbye": pb.Goodbye()}, "HELLO_REQUIRED"),
    _first("an empty message first", {}, "HELLO_REQUIRED"),
    _first("malformed bytes first", MALFORMED, "MALFORMED_MESSAGE"),
    _first(
        "Hello to an unknown partition",
        {"hello": hello(NAME, "report", partition="nowhere")},
        "PARTITION_NOT_FOUND",
    ),
)
_LATER_WORDS: Final = (
    BadSession("Hello twice", [{"hello": hello(NAME, "report")}], "DUPLICATE_HELLO"),
    BadSession("an empty message", [{}], "INVALID_FIELD", "message"),
    BadSession("malformed bytes", [MALFORMED], "MALFORMED_MESSAGE"),
    BadSession(
        "a goodbye with a reason too long",
        [{"goodbye": pb.Goodbye(reason="x" * 1_025)}],
        "INVALID_TEXT",
        "goodbye.reason",
    ),
    BadSession(
        "10,001 acknowledged orders",
        [{"order_acks": pb.OrderAcks(acks=[pb.OrderAck()] * 10_001)}],
        "BATCH_TOO_LARGE",
    ),
)


def _batch(*reports: pb.Report, sequence: int = 1) -> dict[str, Any]:
    return {"reports": pb.ReportBatch(sequence=sequence, reports=reports)}


def _report(**fields: Any) -> pb.Report:
    return pb.Report(**{"job": 1, "fence": 1, "kind": R.REPORT_KIND_STARTED, **fields})


def _columns(**fields: Any) -> dict[str, Any]:
    started = bytes([R.REPORT_KIND_STARTED])
    given = {"sequence": 1, "jobs": [1, 2, 3], "fences": [1], "kinds": started, **fields}
    return {"columns": pb.ReportColumns(**given)}


def _detail(what: str, why: str, field: str, **detail: Any) -> BadSession:
    said = _batch(_report(detail=pb.ReportDetail(**detail)))
    return BadSession(f"a report with {what}", [said], why, f"reports.reports[0].detail.{field}")


def _suspension(what: str, reason: str, **condition: Any) -> BadSession:
    suspension = pb.Suspension(conditions=[ResumeCondition(**condition)])
    return _detail(what, reason, "suspension.conditions[0]", suspension=suspension)


_BATCHES: Final = (
    BadSession("a batch without reports", [_batch()], "EMPTY_BATCH", "reports"),
    BadSession("10,001 reports", [_batch(*[_report()] * 10_001)], "BATCH_TOO_LARGE", "reports"),
    BadSession("batch 0", [_batch(_report(), sequence=0)], "INVALID_ID", "sequence"),
    BadSession(
        "a batch beyond 63 bits",
        [_batch(_report(), sequence=BEYOND_63_BITS)],
        "OUT_OF_BOUNDS",
        "sequence",
    ),
    BadSession(
        "batch 2 before batch 1",
        [_batch(_report(), sequence=2)],
        "SEQUENCE_GAP",
        metadata=("expected",),
    ),
    BadSession("a report on job 0", [_batch(_report(job=0))], "INVALID_ID"),
    BadSession("a report beyond 63 bits", [_batch(_report(job=BEYOND_63_BITS))], "OUT_OF_BOUNDS"),
    BadSession("a report of no kind", [_batch(_report(kind=0))], "INVALID_FIELD"),
    BadSession("a report of kind 99", [_batch(_report(kind=99))], "INVALID_FIELD"),
    BadSession("a report of kind 999", [_batch(_report(kind=999))], "INVALID_FIELD"),
    BadSession("columns without jobs", [_columns(jobs=[])], "EMPTY_BATCH", "columns"),
    BadSession("10,001 in columns", [_columns(jobs=range(1, 10_002))], "BATCH_TOO_LARGE"),
    BadSession("columns with job 0", [_columns(jobs=[1, 0, 2])], "INVALID_ID"),
    BadSession("two fences for three jobs", [_columns(fences=[1, 1])], "INVALID_FIELD"),
    BadSession("no fence", [_columns(fences=[])], "INVALID_FIELD", "columns.fences"),
    BadSession("two kinds for three jobs", [_columns(kinds=b"\1\1")], "INVALID_FIELD"),
    BadSession("no kind", [_columns(kinds=b"")], "INVALID_FIELD", "columns.kinds"),
    BadSession("columns of kind 255", [_columns(kinds=b"\xff")], "INVALID_FIELD"),
    BadSession(
        "a detail of nothing",
        [_columns(details=[pb.ReportDetail(index=3)])],
        "INVALID_FIELD",
        "columns.details",
    ),
    BadSession(
        "two details of one report",
        [_columns(details=[pb.ReportDetail(index=1)] * 2)],
        "INVALID_FIELD",
        "columns.details",
    ),
)
_DETAILS: Final = (
    _detail("no JSON as result", "INVALID_PARAMETER", "result_json", result_json="{"),
    _detail("a large result", "INVALID_PARAMETER", "result_json", result_json=f'"{"x" * 262_144}"'),
    _detail("a reason with an escape", "INVALID_TEXT", "reason", reason="\x1b[31m"),
    _detail("a blank question", "INVALID_TEXT", "question", question=pb.Question(text=" ")),
    _detail(
        "a long question", "INVALID_TEXT", "question.text", question=pb.Question(text="x" * 4_097)
    ),
    _detail(
        "a pattern that is none",
        "INVALID_FIELD",
        "question.pattern",
        question=pb.Question(text="?", pattern="("),
    ),
    _detail(
        "51 choices",
        "BATCH_TOO_LARGE",
        "question.choices",
        question=pb.Question(text="?", choices=["x"] * 51),
    ),
    _detail("no conditions", "EMPTY_BATCH", "suspension.conditions", suspension=pb.Suspension()),
    _detail(
        "101 conditions",
        "BATCH_TOO_LARGE",
        "suspension.conditions",
        suspension=pb.Suspension(conditions=[ResumeCondition()] * 101),
    ),
    _suspension("a condition of no kind", "INVALID_FIELD"),
    _suspension("a condition of kind 9", "INVALID_FIELD", kind=9),
    _suspension("a task without a key", "INVALID_FIELD", kind=RESUME_KIND_PERSON),
    _suspension("a task with a long key", "INVALID_TEXT", kind=RESUME_KIND_PERSON, key="x" * 257),
    _suspension("job x to wait for", "INVALID_ID", kind=RESUME_KIND_JOB, key="x"),
    _suspension("job 0 to wait for", "INVALID_ID", kind=RESUME_KIND_JOB, key="0"),
    _suspension("job -1 to wait for", "INVALID_ID", kind=RESUME_KIND_JOB, key="-1"),
    _suspension("no time", "INVALID_TIME", kind=TIMER),
    _suspension("year 10000", "INVALID_TIME", kind=TIMER, time=Timestamp(seconds=253402300800)),
)
BAD_SESSIONS: Final = (*_FIRST_WORDS, *_HELLOS, *_LATER_WORDS, *_BATCHES, *_DETAILS)

_STARTED: Final = R.REPORT_KIND_STARTED
_COMPLETED: Final = R.REPORT_KIND_COMPLETED
_WAITS: Final = pb.Suspension(conditions=[ResumeCondition(kind=RESUME_KIND_JOB, key="999999")])
BAD_REPORTS: Final = (
    BadReport("an old fence", lambda s: s.fenced_twice, 1, _COMPLETED, "STALE_FENCE"),
    BadReport("a fence from the future", lambda s: s.running, 2, _COMPLETED, "FENCE_UNKNOWN"),
    BadReport("the largest fence", lambda s: s.running, (1 << 32) - 1, _COMPLETED, "FENCE_UNKNOWN"),
    BadReport("the job of another robot", lambda s: s.foreign, 1, _COMPLETED, "NOT_ASSIGNED"),
    BadReport("a job that waits", lambda s: s.queued, 0, _STARTED, "NOT_ASSIGNED"),
    BadReport("a suspended job", lambda s: s.suspended, 1, _COMPLETED, "NOT_ASSIGNED"),
    BadReport("a job that is over", lambda s: s.final, 0, _COMPLETED, "ALREADY_FINAL"),
    BadReport("an unknown job", lambda _: 10**9, 1, _COMPLETED, "JOB_NOT_FOUND"),
    BadReport(
        "a wait of a UiPath job",
        lambda s: s.running_uipath,
        1,
        R.REPORT_KIND_WAITING,
        "ILLEGAL_TRANSITION",
        metadata=("status", "allowed"),
    ),
    BadReport(
        "a confirmed cancel that nobody ordered",
        lambda s: s.running,
        1,
        R.REPORT_KIND_CANCEL_CONFIRMED,
        "ILLEGAL_TRANSITION",
        metadata=("status", "allowed"),
    ),
    BadReport(
        "a suspended Redwood job",
        lambda s: s.running,
        1,
        R.REPORT_KIND_SUSPENDED,
        "WRONG_LIFECYCLE",
        {"suspension": _WAITS},
    ),
    BadReport(
        "a wait for a job that is none",
        lambda s: s.running_uipath,
        1,
        R.REPORT_KIND_SUSPENDED,
        "INVALID_PARAMETER",
        {"suspension": _WAITS},
    ),
    BadReport(
        "a question without words", lambda s: s.running, 1, R.REPORT_KIND_ASKED, "INVALID_FIELD"
    ),
    BadReport("a note without words", lambda s: s.running, 1, R.REPORT_KIND_NOTED, "INVALID_FIELD"),
    BadReport(
        "a suspension without conditions",
        lambda s: s.running_uipath,
        1,
        R.REPORT_KIND_SUSPENDED,
        "INVALID_FIELD",
    ),
)
