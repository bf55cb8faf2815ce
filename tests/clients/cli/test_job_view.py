"""A job is shown with its status, since when, on which robot, and why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from interlock.cli.job_view import history_sheet, job_details, job_mapping, job_sheet, why
from interlock.cli.sheet import paint
from interlock.v1.job_pb2 import Fault, HistoryEntry, Job, ResumeCondition, ResumeKind
from interlock.v1.operator_message_pb2 import OperatorMessage, ReplyStatus
from interlock.v1.status_pb2 import Actor, Status

NOW = datetime(2026, 10, 1, 3, 0, tzinfo=UTC)


def at(**ago: float) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(NOW - timedelta(**ago))
    return made


def shown(sheet) -> str:
    return paint(sheet, colour=False, width=None)


def test_a_list_says_status_age_robot_and_why():
    job = Job(
        id=4711,
        definition="DailyReport",
        queue="finance",
        robot="bot-7",
        status=Status.STATUS_UIPATH_FAULTED,
        change_time=at(minutes=5),
        fault=Fault(code="LOGON_FAILED", title="the password expired"),
        info="LOGON_FAILED",
    )

    heading, row = shown(job_sheet([job], now=NOW)).splitlines()

    assert heading.split() == ["JOB", "STATUS", "SINCE", "DEFINITION", "QUEUE", "ROBOT", "WHY"]
    assert row.split(maxsplit=6) == [
        *("4711", "Faulted", "5m", "DailyReport", "finance", "bot-7"),
        "LOGON_FAILED: the password expired",
    ]


def test_an_open_question_comes_first():
    job = Job(
        status=Status.STATUS_REDWOOD_CONSOLE,
        info="waits for an operator",
        messages=[
            OperatorMessage(id=1, text="old", status=ReplyStatus.REPLY_STATUS_REPLIED, reply="yes"),
            OperatorMessage(
                id=2, text="Post?", choices=["yes", "no"], status=ReplyStatus.REPLY_STATUS_REQUIRED
            ),
        ],
    )

    assert why(job, now=NOW) == "message 2: Post? [yes / no]; waits for an operator"


def test_a_silent_robot_and_a_lost_attempt_are_said():
    job = Job(robot="bot-7", robot_unresponsive=True, attempt_lost=True)

    assert "robot bot-7 is not heard of" in why(job, now=NOW)
    assert "its attempt was lost" in why(job, now=NOW)


def test_what_a_suspended_job_waits_for_is_said_until_it_fires():
    job = Job(
        status=Status.STATUS_UIPATH_SUSPENDED,
        resume_conditions=[
            ResumeCondition(kind=ResumeKind.RESUME_KIND_JOB, key="12", fired=True),
            ResumeCondition(kind=ResumeKind.RESUME_KIND_PERSON, key="approve"),
            ResumeCondition(kind=ResumeKind.RESUME_KIND_TIMER, time=at(hours=-2)),
        ],
    )

    assert why(job, now=NOW) == "waits for person approve; resumes in 2h"


def test_a_start_in_the_future_is_said_and_one_that_never_comes_too():
    later = Job(status=Status.STATUS_REDWOOD_SCHEDULED, start_time=at(hours=-2))
    never = Job(status=Status.STATUS_REDWOOD_NEVER)
    never.start_time.FromDatetime(datetime(2999, 12, 31, tzinfo=UTC))

    assert why(later, now=NOW) == "starts in 2h"
    assert why(never, now=NOW) == "starts never"


def test_details_show_everything_that_is_set():
    job = Job(
        id=7,
        status=Status.STATUS_UIPATH_SUCCESSFUL,
        run_start_time=at(hours=2),
        end_time=at(hours=1),
        parameters_json='{"month": "2026-10"}',
        labels={"team": "x"},
        fault=Fault(code="E", title="t", detail="line 1\nline 2"),
    )

    text = shown(job_details(job, now=NOW))

    assert '"month": "2026-10"' in text
    assert "ran for" in text
    assert "1h" in text
    assert "team=x" in text
    assert "line 2" in text
    assert "restart of" not in text


def test_a_mapping_says_whether_the_job_is_over():
    assert job_mapping(Job(status=Status.STATUS_REDWOOD_KILLED))["final"] is True
    assert job_mapping(Job(status=Status.STATUS_REDWOOD_KILLING))["final"] is False


def test_a_history_says_how_long_each_status_lasted():
    entries = [
        HistoryEntry(
            revision=1, time=at(minutes=10), to=Status.STATUS_UIPATH_PENDING, trigger="submit"
        ),
        HistoryEntry(
            **{"from": Status.STATUS_UIPATH_PENDING},  # type: ignore[arg-type]  # a keyword of Python
            revision=5,
            time=at(minutes=8),
            to=Status.STATUS_UIPATH_RUNNING,
            trigger="start",
            actor=Actor.ACTOR_ROBOT,
            author="bot-7",
            transition="TU-04",
        ),
    ]

    rows = shown(history_sheet(entries)).splitlines()

    assert "+2m" in rows[2]
    assert "Pending" in rows[2]
    assert "robot bot-7" in rows[2]
