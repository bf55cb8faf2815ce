"""Bad inputs of time windows and schedules, and of what names a window."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from interlock.v1 import catalog_service_pb2 as catalog
from interlock.v1 import job_service_pb2 as jobs
from interlock.v1 import schedule_service_pb2 as schedules
from interlock.v1 import window_service_pb2 as windows
from interlock.v1.definition_pb2 import Definition
from interlock.v1.queue_pb2 import Queue
from interlock.v1.schedule_pb2 import Firing, Recurrence, Schedule
from interlock.v1.status_pb2 import Lifecycle
from interlock.v1.window_pb2 import TimeWindow, WindowElement, WindowRestriction
from tests.support.bad_inputs.by_field import Wrong, named
from tests.support.bad_inputs.row import BadInput

_WINDOW: Final[list[Wrong]] = [
    *named("name"),
    ("description too long", {"description": "x" * 1_025}, "INVALID_TEXT"),
    ("a zone that is none", {"time_zone": "Mars/Base"}, "INVALID_WINDOW"),
    ("101 elements", {"elements": [WindowElement()] * 101}, "BATCH_TOO_LARGE"),
    (
        "21 restrictions",
        {"elements": [WindowElement(restrictions=[WindowRestriction()] * 21)]},
        "BATCH_TOO_LARGE",
    ),
    ("itself as its limit", {"enabled_during": "new"}, "INVALID_WINDOW"),
    ("a limit that is not there", {"disabled_during": "nowhere"}, "INVALID_WINDOW"),
    ("a limit that is no name", {"enabled_during": "a b"}, "INVALID_NAME"),
    ("a version", {"version": 1}, "READ_ONLY_FIELD"),
    ("an update_time", {"update_time": Timestamp(seconds=1)}, "READ_ONLY_FIELD"),
]
_RESTRICTION: Final[list[Wrong]] = [
    ("a rule that is none", {"rule": "EVERY DAY"}, "INVALID_WINDOW"),
    ("a rule too long", {"rule": "x" * 20_001}, "INVALID_TEXT"),
    ("a time that is none", {"opens": "25:00"}, "INVALID_WINDOW"),
    ("a date that is none", {"dates": ["2026-02-30"]}, "INVALID_WINDOW"),
    ("an end before its start", {"start_date": "2026-02-02", "end_date": "2026-02-01"}, ""),
    ("1,001 dates", {"dates": ["2026-02-01"] * 1_001}, "BATCH_TOO_LARGE"),
]
_FORECAST: Final[list[Wrong]] = [
    *named("window"),
    ("an unknown window", {"window": "nowhere"}, "WINDOW_NOT_FOUND"),
    ("1,001 openings", {"count": 1_001}, "INVALID_NUMBER"),
    ("a zone that is none", {"time_zone": "Mars/Base"}, "INVALID_WINDOW"),
    ("a time before 1970", {"from_time": Timestamp(seconds=-1)}, "INVALID_TIME"),
    ("an end in the past", {"until_time": Timestamp(seconds=1)}, "INVALID_TIME"),
    ("an end too far", {"until_time": Timestamp(seconds=5_000_000_000)}, "INVALID_TIME"),
]
_CRON: Final = Recurrence(cron="0 2 * * *")
_SCHEDULE: Final[list[Wrong]] = [
    *named("name"),
    *named("definition"),
    ("an unknown definition", {"definition": "nothing"}, "DEFINITION_NOT_FOUND"),
    ("another definition", {"name": "active"}, "CONFLICTING_DEFINITION"),
    ("an unknown queue", {"queue": "nowhere"}, "QUEUE_NOT_FOUND"),
    ("a queue that is no name", {"queue": "a b"}, "INVALID_NAME"),
    ("a robot that is no name", {"robot": "a b"}, "INVALID_NAME"),
    ("priority 101", {"priority": 101}, "INVALID_NUMBER"),
    ("10,001 jobs", {"count": 10_001}, "INVALID_NUMBER"),
    ("5,001 jobs ahead", {"presubmit": 5_001}, "INVALID_NUMBER"),
    ("1,001 failures", {"failures_max": 1_001}, "INVALID_NUMBER"),
    ("very many firings", {"firings_max": 1_000_000_001}, "INVALID_NUMBER"),
    ("no length of grace", {"failures_grace": Duration()}, "INVALID_TIME"),
    ("two jobs of Redwood", {"count": 2}, "WRONG_LIFECYCLE"),
    ("an ending of Redwood", {"stop_after": Duration(seconds=1)}, "WRONG_LIFECYCLE"),
    ("jobs ahead of UiPath", {"definition": "invoice", "presubmit": 2}, "WRONG_LIFECYCLE"),
    ("parameters that are no JSON", {"parameters_json": "{"}, "INVALID_PARAMETER"),
    ("33 labels", {"labels": {f"k{n}": "v" for n in range(33)}}, "INVALID_FIELD"),
    ("a status", {"status": 1}, "READ_ONLY_FIELD"),
    ("a status_code", {"status_code": "A"}, "READ_ONLY_FIELD"),
    ("a status_by", {"status_by": "me"}, "READ_ONLY_FIELD"),
    ("a next_time", {"next_time": Timestamp(seconds=1)}, "READ_ONLY_FIELD"),
    ("firings", {"firings": 1}, "READ_ONLY_FIELD"),
    ("failures", {"failures": 1}, "READ_ONLY_FIELD"),
    ("live_jobs", {"live_jobs": [1]}, "READ_ONLY_FIELD"),
    ("recent firings", {"recent": [Firing()]}, "READ_ONLY_FIELD"),
    ("a version", {"version": 1}, "READ_ONLY_FIELD"),
    ("an update_time", {"update_time": Timestamp(seconds=1)}, "READ_ONLY_FIELD"),
    ("no recurrence", {"recurrence": None}, "INVALID_FIELD"),
    ("two recurrences", {"recurrence": Recurrence(cron="0 2 * * *", rule="x")}, "INVALID_FIELD"),
    ("a cron that is none", {"recurrence": Recurrence(cron="x")}, "INVALID_WINDOW"),
    ("a cron that never is", {"recurrence": Recurrence(cron="0 0 30 2 *")}, "INVALID_WINDOW"),
    ("a rule that is none", {"recurrence": Recurrence(rule="x")}, "INVALID_WINDOW"),
    (
        "a zone that is none",
        {"recurrence": Recurrence(cron="0 2 * * *", time_zone="Mars/Base")},
        "INVALID_WINDOW",
    ),
    (
        "half a second",
        {"recurrence": Recurrence(interval=Duration(nanos=500_000_000))},
        "INVALID_WINDOW",
    ),
]
#: rpc, what, schedule, reason
_ONE: Final = (
    *(
        (f"{verb}Schedule", "an unknown one", "nowhere", "SCHEDULE_NOT_FOUND")
        for verb in ("Hold", "Release", "End")
    ),
    *((f"{verb}Schedule", "no name", "", "INVALID_NAME") for verb in ("Hold", "Release", "End")),
    *(
        (f"{verb}Schedule", "one that is over", "over", "SCHEDULE_FINISHED")
        for verb in ("Hold", "Release", "End")
    ),
    ("HoldSchedule", "one that is held", "held", "ALREADY_SO"),
    ("ReleaseSchedule", "one that is active", "active", "ALREADY_SO"),
)


def _put_window(**fields: Any) -> windows.PutWindowsRequest:
    return windows.PutWindowsRequest(windows=[TimeWindow(**{"name": "new", **fields})])


def _of_windows() -> list[BadInput]:
    rpc = "WindowService/PutWindows"
    new = TimeWindow(name="new")
    return [
        *(BadInput(rpc, what, _put_window(**fields), why) for what, fields, why in _WINDOW),
        *(
            BadInput(
                rpc,
                f"a restriction with {what}",
                _put_window(elements=[WindowElement(restrictions=[WindowRestriction(**fields)])]),
                why or "INVALID_WINDOW",
            )
            for what, fields, why in _RESTRICTION
        ),
        BadInput(rpc, "nothing", windows.PutWindowsRequest(), "EMPTY_BATCH", "windows"),
        BadInput(rpc, "1,001", windows.PutWindowsRequest(windows=[new] * 1_001), "BATCH_TOO_LARGE"),
        BadInput(
            rpc, "one twice", windows.PutWindowsRequest(windows=[new, new]), "DUPLICATE_TARGET"
        ),
        *(
            BadInput(
                "WindowService/ForecastWindow",
                what,
                windows.ForecastWindowRequest(**{"window": "empty", **fields}),
                why,
            )
            for what, fields, why in _FORECAST
        ),
        BadInput(
            "WindowService/DeleteWindows",
            "an unknown window",
            windows.DeleteWindowsRequest(names=["nowhere"]),
            "WINDOW_NOT_FOUND",
        ),
        BadInput(
            "WindowService/DeleteWindows",
            "the window of a queue",
            windows.DeleteWindowsRequest(names=["closing"]),
            "IN_USE",
        ),
    ]


def _put_schedule(**fields: Any) -> schedules.PutSchedulesRequest:
    given = {"name": "new", "definition": "report", "recurrence": _CRON, **fields}
    return schedules.PutSchedulesRequest(schedules=[Schedule(**given)])


def _of_schedules() -> list[BadInput]:
    rpc = "ScheduleService/PutSchedules"
    new = Schedule(name="new", definition="report", recurrence=_CRON)
    found = [
        *(BadInput(rpc, what, _put_schedule(**fields), why) for what, fields, why in _SCHEDULE),
        BadInput(rpc, "nothing", schedules.PutSchedulesRequest(), "EMPTY_BATCH", "schedules"),
        BadInput(
            rpc, "1,001", schedules.PutSchedulesRequest(schedules=[new] * 1_001), "BATCH_TOO_LARGE"
        ),
        BadInput(
            rpc,
            "one twice",
            schedules.PutSchedulesRequest(schedules=[new, new]),
            "DUPLICATE_TARGET",
        ),
        BadInput(
            "ScheduleService/DeleteSchedules",
            "an unknown schedule",
            schedules.DeleteSchedulesRequest(names=["nowhere"]),
            "SCHEDULE_NOT_FOUND",
        ),
        BadInput(
            "CatalogService/DeleteDefinitions",
            "the definition of a schedule",
            catalog.DeleteDefinitionsRequest(names=["invoice"]),
            "IN_USE",
        ),
    ]
    for verb, what, schedule, reason in _ONE:
        request: Any = getattr(schedules, f"{verb}Request")
        found.append(BadInput(f"ScheduleService/{verb}", what, request(schedule=schedule), reason))
    return found


def _of_users() -> list[BadInput]:
    redwood = Lifecycle.LIFECYCLE_REDWOOD

    def definition(**fields: Any) -> catalog.PutDefinitionsRequest:
        new = Definition(name="new", lifecycle=redwood, **fields)
        return catalog.PutDefinitionsRequest(definitions=[new])

    return [
        BadInput(
            "CatalogService/PutDefinitions",
            "an unknown window",
            definition(window="nowhere"),
            "WINDOW_NOT_FOUND",
        ),
        BadInput(
            "CatalogService/PutQueues",
            "an unknown window",
            catalog.PutQueuesRequest(queues=[Queue(name="new", window="nowhere")]),
            "WINDOW_NOT_FOUND",
        ),
        BadInput(
            "JobService/SubmitJobs",
            "an unknown window",
            jobs.SubmitJobsRequest(jobs=[jobs.NewJob(definition="report", window="nowhere")]),
            "WINDOW_NOT_FOUND",
        ),
    ]


def of_windows() -> list[BadInput]:
    """All of them."""
    return [*_of_windows(), *_of_schedules(), *_of_users()]
