"""Recordings from a robot's handler to an operator's file, over a whole server."""

from __future__ import annotations

import hashlib
import io

import pytest

from interlock import Definition, NotFound, Refused, Robot, connect
from interlock.errors import ServerError
from interlock.media import name_of
from tests.clients.test_real_server import serving, working
from tests.support.until import until

FILM = b"what the screen showed " * 50_000


@pytest.fixture
async def interlock(tmp_path):
    async with serving(tmp_path / "data") as address, connect(address, user="alice") as interlock:
        await interlock.put_definitions(
            [
                Definition("Invoice", "uipath", recording="failed"),
                Definition("Report", "redwood", recording="all"),
            ]
        )
        yield interlock


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "the screen.webm"
    path.write_bytes(FILM)
    return path


async def recorded(interlock, film, *, fails=True, definition="Invoice", **how):
    """A job whose handler recorded itself."""
    robot = Robot(interlock.address, name="bot")

    @robot.job(definition)
    async def handle(run):
        run.record(film, content_type="video/webm", **how)
        if fails:
            raise RuntimeError("the button is gone")

    async with working(robot) as task:
        job = (await interlock.submit(definition)).id
        await interlock.wait(job)
        robot.drain()
        await task  # a robot that leaves has sent what was recorded
    return job


async def test_a_robot_records_a_failed_job_and_an_operator_fetches_it(interlock, film, tmp_path):
    job = await recorded(interlock, film)

    (medium,) = (await interlock.get(job)).media
    assert (medium.name, medium.content_type) == ("the-screen.webm", "video/webm")
    assert (medium.robot, medium.size_bytes) == ("bot", len(FILM))
    assert medium.digest == hashlib.sha256(FILM).hexdigest()

    target = tmp_path / "fetched"
    await interlock.media.download(job, medium.name, target)
    assert target.read_bytes() == FILM
    assert [each.name for each in tmp_path.iterdir() if "unfinished" in each.name] == []
    buffer = io.BytesIO()
    await interlock.media.download(job, medium.name, buffer)
    assert buffer.getvalue() == FILM


async def test_what_the_definition_does_not_want_is_not_kept(interlock, film):
    job = await recorded(interlock, film, fails=False)

    assert await interlock.media.list(job) == []
    assert film.exists()


async def test_a_plain_function_records_and_lets_the_file_be_removed(interlock, film):
    robot = Robot(interlock.address, name="bot")

    @robot.job("Report")
    def handle(run):
        run.record(film, name="screen", remove=True)

    async with working(robot):
        job = (await interlock.submit("Report")).id
        await interlock.wait(job)
        await until(lambda: not film.exists())

    assert [each.name for each in await interlock.media.list(job)] == ["screen"]


async def test_a_recording_that_is_missing_harms_nothing(interlock, tmp_path):
    job = await recorded(interlock, tmp_path / "was-never-there")

    assert (await interlock.get(job)).status == "Faulted"
    assert await interlock.media.list(job) == []


async def test_a_download_goes_on_from_an_offset(interlock, film):
    job = await recorded(interlock, film, name="screen")

    parts = [part async for _, part in interlock.media.stream(job, "screen", offset=1_000_000)]

    assert b"".join(parts) == FILM[1_000_000:]


async def test_a_content_that_is_not_what_was_recorded_is_not_handed_out(interlock, film, tmp_path):
    job = await recorded(interlock, film, name="screen")
    (stored,) = (tmp_path / "data/media").glob("default/[0-9a-f][0-9a-f]/*")
    stored.chmod(0o600)
    stored.write_bytes(FILM[:-1] + b"x")

    with pytest.raises(ServerError, match="digest"):
        await interlock.media.download(job, "screen", tmp_path / "fetched")
    assert not (tmp_path / "fetched").exists()


async def test_recordings_are_deleted_by_name(interlock, film):
    job = await recorded(interlock, film, name="screen")

    with pytest.raises(NotFound):
        await interlock.media.delete(job, ["screen", "other"])
    assert [each.name for each in await interlock.media.delete(job, "screen")] == ["screen"]

    assert await interlock.media.list(job) == []


async def test_only_the_robot_of_the_job_may_send_one(interlock, film):
    job = await recorded(interlock, film)

    with pytest.raises(Refused) as refusal:
        await interlock.media.upload(film, job=job, robot="another", fence=1, name="x")
    assert refusal.value.reason == "NOT_ASSIGNED"


async def test_all_executions_are_shown_with_each(interlock, film):
    first = await recorded(interlock, film)
    (again,) = await interlock.restart([first])

    for job in (first, again.job):
        runs = (await interlock.get(job)).all_executions
        assert [(run.job, run.restarted_from) for run in runs] == [(first, 0), (again.job, first)]
        assert runs[0].fault.title == "the button is gone"


def test_names_are_made_of_what_the_api_takes(tmp_path):
    assert name_of(tmp_path / "a b/ü.webm") == "-.webm"
