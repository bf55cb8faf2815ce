"""A server that is told to stop answers what it has begun and tells watchers where to resume."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from typing import Any

import pytest
from grpc import aio

from interlock.v1 import job_service_pb2 as pb
from interlock.v1.robot_service_pb2 import ReportKind as K
from interlock.v1.watch_service_pb2 import WatchForm, WatchRequest
from tests.crash.account import Account
from tests.crash.ledger import Asked, Ledger
from tests.crash.life import Life, meaning
from tests.crash.plain_robot import PlainRobot
from tests.crash.reading import read_all, verified
from tests.crash.scene import serving, submit
from tests.support.real_time import pass_time

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120)]

CLIENTS = 16
WATCHERS = 10
ROUNDS = 3
#: What SETTINGS say, and half a second.
GRACE_S = 3.5


class Watching:
    """A watcher that remembers how it ended."""

    def __init__(self, life):
        request = WatchRequest(from_revision=0, form=WatchForm.WATCH_FORM_COLUMNS)
        self.call = life.watches.Watch(request)
        self.revision = 0
        self.error: Any = None

    async def run(self):
        try:
            while (message := await self.call.read()) is not aio.EOF:
                for block in message.columns.blocks:
                    assert block.first_revision == self.revision + 1
                    self.revision += len(block.jobs)
        except aio.AioRpcError as failure:
            self.error = meaning(failure)


async def ask_until_sent_away(life, ledger, client):
    """Submit one job after the other; returns how the last call ended."""
    number = 0
    while True:
        number += 1
        request = pb.SubmitJobsRequest(
            jobs=[pb.NewJob(definition="redwood")], request_id=f"client-{client:04d}.{number:08d}"
        )
        asked = Asked("SubmitJobs", request, 1, floor=ledger.told, tries=1)
        ledger.asked.append(asked)
        try:
            asked.answer = await life.jobs.SubmitJobs(request, timeout=20)
            ledger.tell(asked.answer.revision)
        except aio.AioRpcError as failure:
            return meaning(failure).reason


async def report_until_sent_away(robot):
    """Report batches until the stream ends; how many were acknowledged."""
    acknowledged = 0
    kinds = (K.REPORT_KIND_WAITING, K.REPORT_KIND_WAIT_OVER)
    try:
        while await robot.report(kinds[acknowledged % 2]) == []:
            acknowledged += 1
    except ConnectionError:
        return acknowledged
    raise AssertionError("an honest report was refused")


@pytest.mark.parametrize("attempt", range(ROUNDS))
async def test_a_drain_loses_no_answer_and_tells_every_watcher_where_to_resume(
    attempt, tmp_path, scoreboard
):
    ledger, account = Ledger(), Account()
    async with serving(tmp_path) as (server, life):
        await submit(life, "redwood", 20)
        robot = PlainRobot(life, "robot", "redwood", slots=20)
        await robot.connect()
        await robot.offered(20)
        await robot.report(K.REPORT_KIND_STARTED)
        watchers = [Watching(life) for _ in range(WATCHERS)]
        watching = asyncio.gather(*(watcher.run() for watcher in watchers))
        reporting = asyncio.create_task(report_until_sent_away(robot))
        asking = asyncio.gather(
            *(ask_until_sent_away(life, ledger, client) for client in range(CLIENTS))
        )
        await pass_time(0.2 + 0.05 * attempt)

        server.send(signal.SIGTERM)
        code = await server.exited(within=GRACE_S)
        ends, batches, _ = await asyncio.gather(asking, reporting, watching)
        await robot.vanish()

        assert code == 0
        # INTERNAL is what grpc makes of a write that met the end of the stream.
        assert robot.ended in {"GOING_AWAY", "DRAINING", "INTERNAL"}, robot.last_words
        assert batches > 0
        await server.start()
        async with Life(server.address) as after:
            assert await read_all(after, account) == []
            assert await verified(after) == []
        assert list(ledger.problems(account)) == []
        assert account.problems() == []
        carried_out_unanswered = [
            asked.request.request_id
            for asked in ledger.asked
            if not asked.known and asked.request.request_id in account.by_request
        ]
        assert carried_out_unanswered == []
        assert {watcher.error.reason for watcher in watchers} == {"GOING_AWAY"}
        for watcher in watchers:
            assert int(watcher.error.metadata["resume_revision"]) == watcher.revision
        scoreboard.count(
            "drain",
            **{
                f"round {attempt + 1}": f"{sum(a.known for a in ledger.asked)} answers, "
                f"{batches} batches, {WATCHERS} watchers at {watchers[0].revision}, "
                f"ends {dict(Counter(ends))}"
            },
        )
