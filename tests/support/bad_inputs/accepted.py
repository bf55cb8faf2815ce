"""A request of every rpc with nothing wrong in it: bad inputs change one field of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from google.protobuf.message import Message

from interlock.v1 import admin_service_pb2 as admin
from interlock.v1 import catalog_service_pb2 as catalog
from interlock.v1 import (
    definition_pb2,
    job_pb2,
    lock_pb2,
    named_event_pb2,
    process_server_pb2,
    queue_pb2,
    schedule_pb2,
    window_pb2,
)
from interlock.v1 import explain_service_pb2 as explanations
from interlock.v1 import job_service_pb2 as jobs
from interlock.v1 import job_switch_pb2 as switches
from interlock.v1 import lifecycle_service_pb2 as lifecycles
from interlock.v1 import lock_service_pb2 as locks
from interlock.v1 import media_service_pb2 as media
from interlock.v1 import named_event_service_pb2 as events
from interlock.v1 import process_server_service_pb2 as servers
from interlock.v1 import robot_service_pb2 as robots
from interlock.v1 import schedule_service_pb2 as schedules
from interlock.v1 import watch_service_pb2 as watches
from interlock.v1 import window_service_pb2 as windows
from interlock.v1.status_pb2 import Lifecycle, Status

if TYPE_CHECKING:
    from tests.support.bad_inputs.scene import Scene

_NEW: Final = definition_pb2.Definition(name="new", lifecycle=Lifecycle.LIFECYCLE_REDWOOD)

ACCEPTED: Final[dict[str, Callable[[Scene], Message]]] = {
    "JobService/SubmitJobs": lambda _: jobs.SubmitJobsRequest(
        jobs=[jobs.NewJob(definition="report", queue="finance")]
    ),
    "JobService/GetJob": lambda scene: jobs.GetJobRequest(job=scene.queued),
    "JobService/ListJobs": lambda _: jobs.ListJobsRequest(),
    "JobService/GetJobHistory": lambda scene: jobs.GetJobHistoryRequest(job=scene.queued),
    "JobService/HoldJobs": lambda scene: jobs.HoldJobsRequest(jobs=[scene.queued]),
    "JobService/ReleaseJobs": lambda scene: jobs.ReleaseJobsRequest(jobs=[scene.held]),
    "JobService/CancelJobs": lambda scene: jobs.CancelJobsRequest(jobs=[scene.queued]),
    "JobService/KillJobs": lambda scene: jobs.KillJobsRequest(jobs=[scene.running]),
    "JobService/StopJobs": lambda scene: jobs.StopJobsRequest(jobs=[scene.running_uipath]),
    "JobService/ResumeJobs": lambda scene: jobs.ResumeJobsRequest(jobs=[scene.suspended]),
    "JobService/RestartJobs": lambda scene: jobs.RestartJobsRequest(jobs=[scene.final]),
    "JobService/RescheduleJobs": lambda scene: jobs.RescheduleJobsRequest(jobs=[scene.held]),
    "JobService/SetJobPriority": lambda scene: jobs.SetJobPriorityRequest(
        jobs=[scene.queued], priority=60
    ),
    "JobService/EditJob": lambda scene: jobs.EditJobRequest(job=scene.held, priority=60),
    "JobService/CompleteJobs": lambda scene: jobs.CompleteJobsRequest(jobs=[scene.outside]),
    "JobService/DisableJobs": lambda scene: switches.DisableJobsRequest(jobs=[scene.chained]),
    "JobService/EnableJobs": lambda scene: switches.EnableJobsRequest(jobs=[scene.disabled]),
    "JobService/FireResumeConditions": lambda _: jobs.FireResumeConditionsRequest(
        kind=job_pb2.RESUME_KIND_PERSON, key="task-1"
    ),
    "JobService/ReplyToMessage": lambda scene: jobs.ReplyToMessageRequest(
        message=scene.open_message, reply="2026-10"
    ),
    "JobService/ListMessages": lambda _: jobs.ListMessagesRequest(),
    "ExplainService/ExplainJob": lambda scene: explanations.ExplainJobRequest(job=scene.queued),
    "ExplainService/WatchExplanation": lambda scene: explanations.WatchExplanationRequest(
        job=scene.queued
    ),
    "WindowService/PutWindows": lambda _: windows.PutWindowsRequest(
        windows=[window_pb2.TimeWindow(name="new")]
    ),
    "WindowService/ListWindows": lambda _: windows.ListWindowsRequest(),
    "WindowService/DeleteWindows": lambda _: windows.DeleteWindowsRequest(names=["empty"]),
    "WindowService/ForecastWindow": lambda _: windows.ForecastWindowRequest(window="empty"),
    "ScheduleService/PutSchedules": lambda _: schedules.PutSchedulesRequest(
        schedules=[
            schedule_pb2.Schedule(
                name="new",
                definition="report",
                recurrence=schedule_pb2.Recurrence(cron="0 2 * * *"),
            )
        ]
    ),
    "ScheduleService/ListSchedules": lambda _: schedules.ListSchedulesRequest(),
    "ScheduleService/DeleteSchedules": lambda _: schedules.DeleteSchedulesRequest(names=["over"]),
    "ScheduleService/HoldSchedule": lambda _: schedules.HoldScheduleRequest(schedule="active"),
    "ScheduleService/ReleaseSchedule": lambda _: schedules.ReleaseScheduleRequest(schedule="held"),
    "ScheduleService/EndSchedule": lambda _: schedules.EndScheduleRequest(schedule="active"),
    "RobotService/StartAtRobot": lambda scene: robots.StartAtRobotRequest(
        robot="robot-1", epoch=scene.robot.epoch, definition="invoice"
    ),
    "RobotService/ListRobots": lambda _: robots.ListRobotsRequest(),
    "RobotService/SetRobotMaintenance": lambda _: robots.SetRobotMaintenanceRequest(
        robot="robot-1", maintenance=True
    ),
    "RobotService/DeleteRobots": lambda _: robots.DeleteRobotsRequest(robots=["robot-3"]),
    "WatchService/Watch": lambda _: watches.WatchRequest(),
    "CatalogService/PutDefinitions": lambda _: catalog.PutDefinitionsRequest(definitions=[_NEW]),
    "CatalogService/ListDefinitions": lambda _: catalog.ListDefinitionsRequest(),
    "CatalogService/DeleteDefinitions": lambda _: catalog.DeleteDefinitionsRequest(names=["typed"]),
    "CatalogService/PutRestartDefaults": lambda _: catalog.PutRestartDefaultsRequest(
        behaviors=[
            definition_pb2.RestartBehavior(
                status=Status.STATUS_REDWOOD_ERROR,
                action=definition_pb2.RestartAction.RESTART_ACTION_REQUEST_RESTART,
            )
        ]
    ),
    "CatalogService/GetRestartDefaults": lambda _: catalog.GetRestartDefaultsRequest(),
    "CatalogService/PutQueues": lambda _: catalog.PutQueuesRequest(
        queues=[queue_pb2.Queue(name="new")]
    ),
    "CatalogService/ListQueues": lambda _: catalog.ListQueuesRequest(),
    "CatalogService/DeleteQueues": lambda _: catalog.DeleteQueuesRequest(names=["empty"]),
    "CatalogService/HoldQueue": lambda _: catalog.HoldQueueRequest(queue="finance"),
    "CatalogService/ReleaseQueue": lambda _: catalog.ReleaseQueueRequest(queue="closed"),
    "ProcessServerService/PutServers": lambda _: servers.PutServersRequest(
        servers=[process_server_pb2.ProcessServer(name="new")]
    ),
    "ProcessServerService/ListServers": lambda _: servers.ListServersRequest(),
    "ProcessServerService/DeleteServers": lambda _: servers.DeleteServersRequest(names=["empty"]),
    "ProcessServerService/StartServers": lambda _: servers.StartServersRequest(names=["stopped"]),
    "ProcessServerService/StopServers": lambda _: servers.StopServersRequest(names=["started"]),
    "ProcessServerService/HoldProvider": lambda _: servers.HoldProviderRequest(
        server="started", queue="served"
    ),
    "ProcessServerService/ReleaseProvider": lambda _: servers.ReleaseProviderRequest(
        server="started", queue="closed"
    ),
    "NamedEventService/PutEvents": lambda _: events.PutEventsRequest(
        events=[named_event_pb2.NamedEvent(name="new")]
    ),
    "NamedEventService/ListEvents": lambda _: events.ListEventsRequest(),
    "NamedEventService/DeleteEvents": lambda _: events.DeleteEventsRequest(names=["EMPTY"]),
    "NamedEventService/RaiseEvent": lambda _: events.RaiseEventRequest(event="EMPTY"),
    "NamedEventService/ClearEvent": lambda _: events.ClearEventRequest(event="RAISED"),
    "LockService/PutLocks": lambda _: locks.PutLocksRequest(locks=[lock_pb2.Lock(name="new")]),
    "LockService/ListLocks": lambda _: locks.ListLocksRequest(),
    "LockService/DeleteLocks": lambda _: locks.DeleteLocksRequest(names=["empty"]),
    "LifecycleService/ListLifecycles": lambda _: lifecycles.ListLifecyclesRequest(),
    "LifecycleService/DescribeLifecycle": lambda _: lifecycles.DescribeLifecycleRequest(
        name="uipath"
    ),
    "MediaService/UploadMedium": lambda scene: media.UploadMediumRequest(
        medium=media.NewMedium(job=scene.filmed, robot="robot-1", fence=1, name="other")
    ),
    "MediaService/DownloadMedium": lambda scene: media.DownloadMediumRequest(
        job=scene.filmed, name="screen"
    ),
    "MediaService/ListMedia": lambda scene: media.ListMediaRequest(job=scene.filmed),
    "MediaService/DeleteMedia": lambda scene: media.DeleteMediaRequest(
        job=scene.filmed, names=["screen"]
    ),
    "AdminService/ListPartitions": lambda _: admin.ListPartitionsRequest(),
    "AdminService/CreatePartition": lambda _: admin.CreatePartitionRequest(name="new"),
    "AdminService/GetStatus": lambda _: admin.GetStatusRequest(),
    "AdminService/Verify": lambda _: admin.VerifyRequest(),
    "AdminService/Backup": lambda _: admin.BackupRequest(name="copy"),
    "AdminService/Compact": lambda _: admin.CompactRequest(),
}
