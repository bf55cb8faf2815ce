"""A server that is killed between a recording's file and its commit keeps all of it or nothing.

The failpoints lie on both sides of every step: file, name, commit. The next life accepts the same
upload again, and what nobody refers to is gone.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from interlock import Definition, InterlockError, NotFound, Robot, connect
from tests.clients.test_real_server import working
from tests.crash.server_process import ServerProcess
from tests.support.real_time import until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120)]

FILM = b"what the screen showed " * 2_000
PLACES = (
    "media.before_rename",
    "media.after_rename",
    "media.mid_insert",
    "journal.before_commit",
    "journal.after_commit",
)


async def failed_job(server: ServerProcess) -> int:
    """A job that a robot ended, and that is recorded when it fails."""
    robot = Robot(server.address, name="bot")

    @robot.job("Invoice")
    async def handle(run):
        raise RuntimeError("the button is gone")

    async with connect(server.address) as interlock:
        keep = {"age": timedelta(milliseconds=1)}
        await interlock.put_definitions(
            [
                Definition("Invoice", "uipath", recording="failed"),
                Definition("Kept", "redwood", keep=keep),
            ]
        )
        async with working(robot) as task:
            job = (await interlock.submit("Invoice")).id
            await interlock.wait(job)
            robot.drain()
            await task
        await interlock.delete_robots(["bot"])  # so that nothing but the upload is committed later
    return job


def contents(server: ServerProcess) -> list[Path]:
    folder = server.data / "media" / "default"
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("place", PLACES)
async def test_kill_between_file_and_commit(tmp_path, place):
    film = tmp_path / "film"
    film.write_bytes(FILM)
    server = ServerProcess(tmp_path / "server")
    await server.start()
    job = await failed_job(server)
    server.kill()

    await server.start(environment={"INTERLOCK_FAILPOINTS": f"{place}=kill"})
    async with connect(server.address, timeout=2) as interlock:
        with pytest.raises(InterlockError):
            await interlock.media.upload(film, job=job, robot="bot", fence=1, name="screen")
    await server.exited(within=10)

    await server.start()
    async with connect(server.address) as interlock:
        kept = await interlock.media.list(job)
        assert bool(kept) == (place == "journal.after_commit")
        # The first pass of a life removes what nobody refers to.
        await until(lambda: len(contents(server)) == len(kept), within=10, what="swept")
        await interlock.media.upload(film, job=job, robot="bot", fence=1, name="screen")
        target = tmp_path / "fetched"
        await interlock.media.download(job, "screen", target)
        assert target.read_bytes() == FILM
        assert len(contents(server)) == 1
        assert (await interlock.get(job)).status == "Faulted"
        *_, last = [step async for step in interlock.verify()]
        assert not last.problems
    server.kill()


async def test_kill_in_a_pass_of_retention(tmp_path):
    server = ServerProcess(tmp_path / "server")
    await server.start()
    job = await failed_job(server)
    async with connect(server.address) as interlock:
        jobs = [(await interlock.submit("Kept", hold=True)).id for _ in range(3)]
        await interlock.cancel(jobs)
    server.kill()

    with suppress(RuntimeError):  # the pass may begin before the server serves
        await server.start(environment={"INTERLOCK_FAILPOINTS": "retention.before_delete=kill"})
    assert await server.exited(within=10) == -9
    await server.start()

    async with connect(server.address) as interlock:
        for each in jobs:
            await until_gone(interlock, each)
        assert (await interlock.get(job)).status == "Faulted"
        *_, last = [step async for step in interlock.verify()]
        assert not last.problems
    server.kill()


async def until_gone(interlock, job: int) -> None:
    """Ask for a job until retention has deleted it; the bound is the test's."""
    with pytest.raises(NotFound, match="retention has deleted it"):
        await ask_for_ever(interlock, job)


async def ask_for_ever(interlock, job: int) -> None:
    while True:
        await interlock.get(job)
