"""Writes a journal that shows all that this release can store, for later releases to read.

    python -m tests.support.golden_journal tests/golden/journal_v1

makes `journal_v1.db`, and `journal_v1.json` with what has to be found in it. A released journal is
never written again: a later release adds its own.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from interlock_server.core import command as c
from interlock_server.core.command import ReportKind, Verb
from interlock_server.core.model.definition import Completion, LossPolicy, Parameter
from interlock_server.core.model.job import (
    PARTS,
    Fault,
    Job,
    ResumeCondition,
    ResumeKind,
    StopStrategy,
)
from interlock_server.core.vocabulary.status import Lifecycle
from interlock_server.engine import Once
from interlock_server.storage import codec
from interlock_server.storage.journal import SqliteJournal
from interlock_server.storage.recovery import head_of, recover
from tests.support.core_driver import UIPATH
from tests.support.live_partition import LivePartition

if TYPE_CHECKING:
    from interlock_server.core.world import World
    from interlock_server.storage.port import JournalPort
    from tests.support.live_partition import LiveRobot

K = ReportKind
YEARS_MS = 365 * 24 * 3_600_000


async def write(path: Path) -> None:
    """Write the journal and what it says."""
    path.with_suffix(".db").unlink(missing_ok=True)
    journal = await SqliteJournal.open(path.with_suffix(".db"))
    live = await LivePartition.start(journal)
    await catalog(live)
    robot = await live.connect("robot-1", slots=50, host="host-1")
    await final_redwood(live, robot)
    await final_uipath(live, robot)
    await live.partition.checkpoint.snapshot()
    await lost(live)
    await live_redwood(live, robot)
    await live_uipath(live, robot)
    await live.close()
    journal = await SqliteJournal.open(path.with_suffix(".db"))
    found = await contents(journal)
    await journal.close()
    path.with_suffix(".json").write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


async def catalog(live: LivePartition) -> None:
    await live.define_both()
    await live.put_queue("night", description="after the close of business", execution_size=60)
    await live.put_queue("gone")
    await live.define(
        "everything",
        Lifecycle.REDWOOD,
        description="all fields",
        queue="night",
        priority=70,
        parameters=(Parameter("bank", "string", required=True, default_json='"A"'),),
        return_code_map="0,4-8",
        completion=Completion.EXTERNAL,
        uncertain_timeout_ms=60_000,
        message_on_failure=True,
        labels={"team": "treasury"},
    )
    await live.define(
        "screen", Lifecycle.UIPATH, foreground=True, on_robot_loss=LossPolicy.RERUN, queue="night"
    )
    await live.define("gone", Lifecycle.REDWOOD, queue="gone", hold_on_submit=True)


async def final_redwood(live: LivePartition, robot: LiveRobot) -> None:
    jobs = [await live.submit(labels={"n": str(n)}, reference=f"ref-{n}") for n in range(6)]
    completed, error, killed, canceled, unknown, long = jobs
    await robot.report(K.ACCEPTED, *jobs)
    await live.verb(Verb.CANCEL, canceled)
    await robot.report(K.CANCEL_CONFIRMED, canceled)
    await robot.report(K.STARTED, completed, error, killed, unknown, long)
    await robot.report(K.COMPLETED, completed, result='{"rows": 7}')
    await robot.report(
        K.FAILED, error, return_code=9, fault=Fault("NO_FILE", "no file", "trace"), reason="why"
    )
    await live.verb(Verb.KILL, killed)
    await robot.report(K.KILLED, killed)
    await robot.report(K.REMOTE_GONE, unknown)
    for _ in range(70):  # so long that a part of its history has left memory
        await robot.report(K.WAITING, long)
        await robot.report(K.WAIT_OVER, long)
    await robot.report(K.COMPLETED, long)
    gone = await live.submit("gone")
    await live.verb(Verb.CANCEL, gone)
    await live.settle()
    await live.do(c.DeleteDefinitions(("gone",)))
    await live.do(c.DeleteQueues(("gone",)))
    await live.restart_job(gone)  # Modified
    await live.do(
        c.SubmitJobs((c.NewJob("everything", parameters='{"no": 1}'),)),
        once=Once("request-1", b"digest-1", lambda outcomes: str(outcomes[0].job).encode()),
    )  # Error


async def final_uipath(live: LivePartition, robot: LiveRobot) -> None:
    successful, faulted, stopped = [await live.submit(UIPATH) for _ in range(3)]
    await robot.report(K.STARTED, successful, faulted, stopped)
    await live.verb(Verb.STOP, successful)
    await robot.report(K.COMPLETED, successful)
    await robot.report(K.FAILED, faulted, fault=Fault("UNHANDLED"))
    await robot.report(K.CANCELED, stopped)
    await live.restart_job(faulted)
    attended, fence = await live.do(c.StartAtRobot("robot-1", robot.opened.epoch, UIPATH))
    await robot.report(K.COMPLETED, attended, fence=fence)


async def lost(live: LivePartition) -> None:
    """A robot that is gone, one that came back, and one that was deleted."""
    other = await live.connect("robot-2", "screen", slots=1)
    job = await live.submit("screen", robot="robot-2")
    await other.report(K.STARTED, job)
    again = await live.connect("robot-2", "screen", slots=1, instance="another program")
    await again.report(K.STARTED, job)
    deleted = await live.connect("robot-3", "screen")
    await deleted.goodbye()
    await live.do(c.DeleteRobots(("robot-3",)))


async def live_redwood(live: LivePartition, robot: LiveRobot) -> None:
    now_ms = live.clock.now_ms()
    jobs = [await live.submit() for _ in range(8)]
    dispatched, assigned, running, waiting, killing, canceling, console, requeued = jobs
    await robot.report(K.ACCEPTED, assigned)
    await robot.report(K.STARTED, running, waiting, killing, console)
    await robot.report(K.WAITING, waiting, reason="for a child")
    await live.verb(Verb.KILL, killing)
    await live.verb(Verb.CANCEL, canceling)
    question = c.Question("release?", pattern="yes|no", completes=True)
    await robot.report(K.ASKED, console, question=question)
    await robot.report(K.NOTED, running, question=c.Question("half done"))
    outside = await live.submit("everything")
    await robot.report(K.COMPLETED, outside)  # waits for its result
    await live.submit(start_ms=now_ms + 3_600_000)
    await live.submit(start_ms=now_ms + 3 * YEARS_MS)  # Never
    await live.submit(hold=True)
    await live.do(c.HoldQueue("night"), author="planner", reason="month end")
    await live.submit("everything")  # QueueHeld
    await robot.report(K.REFUSED, requeued)  # the robot gets no more of this definition
    await robot.report(K.COMPLETED, dispatched, fence=7)  # refused


async def live_uipath(live: LivePartition, robot: LiveRobot) -> None:
    jobs = [await live.submit(UIPATH) for _ in range(6)]
    running, stopping, terminating, suspended, resumed, offered = jobs
    await robot.report(K.STARTED, running, stopping, terminating, suspended, resumed)
    await live.verb(Verb.STOP, stopping)
    await live.verb(Verb.KILL, terminating)
    conditions = (
        ResumeCondition(ResumeKind.JOB, str(offered)),
        ResumeCondition(ResumeKind.ITEM, "item-1"),
        ResumeCondition(ResumeKind.PERSON, "task-1"),
        ResumeCondition(ResumeKind.TIMER, "", live.clock.now_ms() + 3_600_000),
    )
    both = c.Suspension(conditions, any=False, saved="where it was", same_robot=True)
    await robot.report(K.SUSPENDED, suspended, resumed, suspension=both)
    await live.do(c.FireConditions(ResumeKind.ITEM, "item-1"))
    await live.do(c.SetMaintenance("robot-1", maintenance=True, strategy=StopStrategy.NONE))
    await live.verb(Verb.RESUME, resumed)
    await live.submit(UIPATH, robot="robot-9", stop_after_ms=60_000, kill_after_ms=60_000)


async def contents(journal: JournalPort) -> dict[str, Any]:
    """Everything that a journal says, by the names of fields."""
    world = await recover(journal)
    archived = await journal.list_archived(before_job=1 << 60, limit=1000)
    spilled = {
        each.job: [
            named(entry)
            for part in await journal.spilled_history(each.job)
            for entry in codec.decode_history(part.entries)
        ]
        for each in archived
    }
    return {
        "head": named(head_of(world)),
        "jobs": {str(job.id): named(job) for job in world.jobs.values()},
        "archived": {
            str(each.job): named(codec.decode_job(each.record))
            | {"history": [named(entry) for entry in codec.decode_history(each.history)]}
            for each in archived
        },
        "spilled": {str(job): entries for job, entries in spilled.items() if entries},
        "answers": [named(answer) for answer in await journal.load_answers(0)],
        "statuses": statuses(world),
    }


def statuses(world: World) -> list[int]:
    return sorted({job.status for job in world.jobs.values()})


def named(record: Any) -> Any:
    """A record as a dict, so that fields which a later release adds do not matter."""
    if isinstance(record, Job):
        return _named_job(record)
    if isinstance(record, msgspec.Struct):
        return {name: named(getattr(record, name)) for name in record.__struct_fields__}
    if isinstance(record, dict):
        return {str(key): named(value) for key, value in record.items()}
    if isinstance(record, list | tuple):
        return [named(each) for each in record]
    if isinstance(record, bytes):
        return record.hex()
    return record


def _named_job(job: Job) -> dict[str, Any]:
    """Every field by its own name, whatever part it stands in now."""
    own = set(job.__struct_fields__) - PARTS.keys() - {"entries"}
    parts = {name for part in PARTS.values() for name in part.__struct_fields__}
    return {name: named(getattr(job, name)) for name in (*own, *parts, "history")}


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1])))
