from __future__ import annotations

import asyncio

import pytest

from benchmarks.peers.worker_crew import WorkerCrew, WorkerEnded


class JobSystem:
    """Jobs that wait in a list; the most that were under way at once are remembered."""

    def __init__(self) -> None:
        self.crew = WorkerCrew()
        self.waiting = 0
        self.most = 0

    async def submit(self, count):
        self.waiting += count
        self.most = max(self.most, self.waiting)
        await asyncio.sleep(0)

    async def unfinished(self):
        return self.waiting

    async def work(self):
        while True:
            if self.waiting:
                self.waiting -= 1
                self.crew.ran += 1
            await asyncio.sleep(0)

    async def flow(self, seconds):
        return await self.crew.flow(
            seconds, self.submit, self.unfinished, batch=10, under_way_max=30
        )


async def test_every_job_that_was_submitted_has_ended():
    system = JobSystem()
    system.crew.hire([system.work(), system.work()])

    submitted = await system.flow(0.02)
    await system.crew.dismiss()

    assert submitted > 0
    assert system.crew.ran == submitted
    assert system.waiting == 0


async def test_there_are_never_more_jobs_under_way_than_allowed():
    system = JobSystem()
    system.crew.hire([system.work()])

    await system.flow(0.02)
    await system.crew.dismiss()

    assert 10 <= system.most <= 30


async def test_a_worker_that_ends_is_noticed_instead_of_waited_for():
    system = JobSystem()

    async def breaks():
        raise RuntimeError("it broke")

    system.crew.hire([breaks()])

    with pytest.raises(WorkerEnded) as noticed:
        await system.flow(0.02)

    assert isinstance(noticed.value.__cause__, RuntimeError)
    await system.crew.dismiss()
