"""Recordings: kept with their jobs, durable in the order that a crash relies on, and swept."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from interlock_server import failpoints, media
from interlock_server.core.command import ReportKind, StartAtRobot, Verb
from interlock_server.core.model.definition import Recording
from interlock_server.core.model.job import Fault
from interlock_server.core.model.medium import Medium
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.vocabulary.status import Lifecycle
from interlock_server.engine import EngineError, Overloaded, StorageFull
from interlock_server.media import NewMedium
from tests.support.live_partition import LivePartition
from tests.support.until import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

K = ReportKind
FILM = b"what the screen showed " * 100


@pytest.fixture
async def live(tmp_path) -> AsyncIterator[LivePartition]:
    """A partition whose UiPath jobs are recorded when they fail."""
    partition = await LivePartition.start(
        media=tmp_path / "media", media_max_bytes=10_000, media_total_bytes=12_000
    )
    await partition.define("daily", Lifecycle.UIPATH, recording=Recording.FAILED)
    await partition.define("always", Lifecycle.UIPATH, recording=Recording.ALL)
    await partition.define("never", Lifecycle.UIPATH)
    await partition.define("nightly", Lifecycle.REDWOOD, recording=Recording.FAILED)
    yield partition
    await partition.check_recovery()
    await partition.close()
    failpoints.disarm()


async def ended(live: LivePartition, definition: str = "daily", kind: K = K.FAILED) -> int:
    """A job that robot-1 had and ended."""
    robot = await live.connect()
    job = await live.submit(definition)
    await robot.report(K.STARTED, job)
    fault = Fault("E") if kind is K.FAILED else None
    await robot.report(kind, job, fault=fault)
    await robot.goodbye()
    return job


def recording(job: int, content: bytes = FILM, **fields: Any) -> NewMedium:
    fence = fields.pop("fence", 1)
    digest = hashlib.sha256(content).hexdigest()
    given = {"name": "screen", "digest": digest, "size_bytes": len(content), "robot": "robot-1"}
    return NewMedium(Medium(job, **{**given, **fields}), fence)


async def parts(content: bytes = FILM, size: int = 500) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def upload(live: LivePartition, new: NewMedium, content: bytes = FILM) -> Medium:
    return await live.partition.media.upload(new, parts(content))


async def refused(live: LivePartition, new: NewMedium, content: bytes = FILM) -> Reason:
    with pytest.raises(Rejection) as refusal:
        await upload(live, new, content)
    return refusal.value.reason


async def download(live: LivePartition, job: int, name: str = "screen", offset: int = 0) -> bytes:
    content = await live.partition.media.read(job, name, offset)
    try:
        return b"".join([part async for part in content.parts()])
    finally:
        content.close()


async def names(live: LivePartition, job: int) -> list[str]:
    return [each.name for each in await live.partition.media.of_jobs([job])]


def contents(live: LivePartition) -> list[str]:
    """Every file below the folder of the recordings."""
    return sorted(
        str(path.relative_to(live.media)) for path in live.media.rglob("*") if path.is_file()
    )


async def test_a_recording_of_a_failed_job_is_kept_beside_it_and_given_out(live):
    job = await ended(live)

    kept = await upload(live, recording(job, content_type="video/webm"))

    assert await live.partition.media.of_jobs([job]) == [kept]
    assert await download(live, job) == FILM
    assert await download(live, job, offset=2_000) == FILM[2_000:]
    assert await live.path(job) == "Pending Running Faulted"
    digest = hashlib.sha256(FILM).hexdigest()
    assert contents(live) == [f"{digest[:2]}/{digest[2:]}"]


async def test_recordings_survive_a_restart(live):
    job = await ended(live)
    await upload(live, recording(job))

    await live.kill()

    assert await names(live, job) == ["screen"]
    assert await download(live, job) == FILM
    assert (live.partition.media.files.count, live.partition.media.files.used_bytes) == (1, 2_300)


@pytest.mark.parametrize(
    ("definition", "kind", "is_kept"),
    [
        ("daily", K.FAILED, True),
        ("daily", K.COMPLETED, False),
        ("daily", K.CANCELED, False),
        ("always", K.COMPLETED, True),
        ("never", K.FAILED, False),
        ("nightly", K.FAILED, True),
        ("nightly", K.COMPLETED, False),
    ],
)
async def test_the_definition_says_which_jobs_are_recorded(live, definition, kind, is_kept):
    job = await ended(live, definition, kind)

    if is_kept:
        await upload(live, recording(job))
    else:
        assert await refused(live, recording(job)) is Reason.RECORDING_REFUSED

    assert await names(live, job) == ["screen"] * is_kept


async def test_only_the_robot_that_had_the_job_last_records_it(live):
    job = await ended(live)

    assert await refused(live, recording(job, robot="robot-2")) is Reason.NOT_ASSIGNED
    assert await refused(live, recording(job, fence=2)) is Reason.STALE_FENCE
    assert await refused(live, recording(99)) is Reason.JOB_NOT_FOUND


async def test_an_attended_job_is_not_recorded(live):
    robot = await live.connect()
    job, fence = await live.do(StartAtRobot("robot-1", robot.opened.epoch, "always"))

    assert await refused(live, recording(job, fence=fence)) is Reason.RECORDING_REFUSED
    await live.verb(Verb.KILL, job)


async def test_what_is_not_the_announced_content_is_refused_and_leaves_nothing(live):
    job = await ended(live)
    new = recording(job)

    assert await refused(live, new, FILM[:-1]) is Reason.DIGEST_MISMATCH
    assert await refused(live, new, FILM + b"x") is Reason.DIGEST_MISMATCH
    assert await refused(live, new, FILM[:-1] + b"x") is Reason.DIGEST_MISMATCH

    assert contents(live) == []
    assert await upload(live, new) == new.medium


async def test_sizes_are_bounded_for_one_recording_and_for_all(live):
    jobs = [await ended(live), await ended(live)]
    large = b"x" * 10_000
    await upload(live, recording(jobs[0], large), large)

    assert await refused(live, recording(jobs[1], b"y" * 10_001)) is Reason.TOO_LARGE
    assert await refused(live, recording(jobs[1])) is Reason.STORAGE_FULL
    small = b"z" * 2_000
    await upload(live, recording(jobs[1], small), small)


async def test_uploads_under_way_count_for_the_room_that_is_left(live):
    jobs = [await ended(live), await ended(live)]
    large = b"x" * 10_000
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        begun.set()
        await go_on.wait()
        yield large

    first = asyncio.create_task(live.partition.media.upload(recording(jobs[0], large), slow()))
    await begun.wait()

    assert await refused(live, recording(jobs[1])) is Reason.STORAGE_FULL
    go_on.set()
    await first


async def test_uploads_at_once_are_bounded(live, monkeypatch):
    jobs = [await ended(live), await ended(live)]
    monkeypatch.setattr(media, "UPLOADS_MAX", 1)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        begun.set()
        await go_on.wait()
        yield FILM

    first = asyncio.create_task(live.partition.media.upload(recording(jobs[0]), slow()))
    await begun.wait()

    with pytest.raises(Overloaded):
        await upload(live, recording(jobs[1]))
    go_on.set()
    await first
    await upload(live, recording(jobs[1]))


async def test_downloads_at_once_are_bounded(live, monkeypatch):
    job = await ended(live)
    await upload(live, recording(job))
    monkeypatch.setattr(media, "DOWNLOADS_MAX", 1)
    content = await live.partition.media.read(job, "screen", 0)

    with pytest.raises(Overloaded):
        await download(live, job)
    content.close()
    assert await download(live, job) == FILM


async def test_a_robot_that_falls_silent_gives_its_upload_up(live, monkeypatch):
    job = await ended(live)
    monkeypatch.setattr(media, "PART_TIMEOUT_S", 0.001)

    async def silent() -> AsyncIterator[bytes]:
        yield FILM[:10]
        await asyncio.Event().wait()

    with pytest.raises(Rejection, match="nothing came"):
        await live.partition.media.upload(recording(job), silent())
    assert contents(live) == []


async def test_a_nearly_full_disk_takes_no_recording(live):
    live.partition.media._room = live.partition.media._room._replace(min_free_bytes=1 << 60)
    job = await ended(live)

    with pytest.raises(StorageFull):
        await upload(live, recording(job))


async def test_an_upload_is_repeated_after_its_answer_was_lost(live):
    job = await ended(live)
    kept = await upload(live, recording(job))
    await live.kill()
    live.clock.advance(s=5)

    again = await upload(live, recording(job, at_ms=live.clock.now_ms()), b"")

    assert again == kept
    assert len(contents(live)) == 1


async def test_a_name_is_given_once_in_a_job(live):
    job = await ended(live)
    await upload(live, recording(job))

    assert await refused(live, recording(job, b"other"), b"other") is Reason.RECORDING_REFUSED
    await upload(live, recording(job, b"other", name="other"), b"other")
    assert await names(live, job) == ["other", "screen"]


async def test_the_same_content_is_stored_once_and_stays_while_a_job_needs_it(live):
    jobs = [await ended(live), await ended(live)]
    for job in jobs:
        await upload(live, recording(job))
    assert len(contents(live)) == 1

    await live.partition.media.delete(jobs[0], ["screen"], "operator")
    assert await download(live, jobs[1]) == FILM

    await live.partition.media.delete(jobs[1], ["screen"], "operator")
    assert contents(live) == []
    assert live.partition.media.files.used_bytes == 0


async def test_what_is_not_there_is_neither_given_out_nor_deleted(live):
    job = await ended(live)
    await upload(live, recording(job))

    for call in (
        download(live, job, "other"),
        live.partition.media.delete(job, ["screen", "other"], "operator"),
    ):
        with pytest.raises(Rejection) as refusal:
            await call
        assert refusal.value.reason is Reason.MEDIUM_NOT_FOUND
    assert await names(live, job) == ["screen"]


async def test_a_recording_whose_file_is_missing_says_so(live):
    job = await ended(live)
    await upload(live, recording(job))
    (live.media / contents(live)[0]).unlink()

    with pytest.raises(Rejection, match="its file is missing"):
        await download(live, job)


@pytest.mark.parametrize("place", ["media.before_rename", "media.after_rename"])
async def test_a_failure_between_file_and_commit_leaves_no_recording(live, place):
    job = await ended(live)
    failpoints.arm(f"{place}=raise:once")

    with pytest.raises(OSError, match="failpoint"):
        await upload(live, recording(job))

    assert await names(live, job) == []
    await live.partition.media.sweep()
    assert contents(live) == []
    await upload(live, recording(job))
    assert await download(live, job) == FILM


async def test_a_crash_between_file_and_commit_leaves_a_file_that_is_swept(live):
    job = await ended(live)
    live.journal.hold()
    lost = asyncio.create_task(upload(live, recording(job)))
    await until(lambda: is_placed(live))

    await live.kill()
    with pytest.raises(EngineError):
        await lost

    assert len(contents(live)) == 1
    assert await names(live, job) == []
    await live.partition.media.sweep()
    assert contents(live) == []
    await upload(live, recording(job))
    assert await download(live, job) == FILM


def is_placed(live: LivePartition) -> bool:
    return any("unfinished" not in name for name in contents(live))


async def test_an_upload_whose_caller_leaves_is_kept_or_leaves_nothing(live):
    job = await ended(live)
    live.journal.hold()
    call = asyncio.create_task(upload(live, recording(job)))
    await until(lambda: is_placed(live))

    call.cancel()
    await asyncio.wait({call})
    sweep = asyncio.create_task(live.partition.media.sweep())
    live.journal.release()
    await sweep

    assert await names(live, job) == ["screen"]
    assert await download(live, job) == FILM


async def test_media_of_a_job_that_is_gone_are_swept(live):
    job, other = await ended(live), await ended(live)
    for each in (job, other):
        await upload(live, recording(each))
    await live.journal.delete_archived([other])
    live.journal.media |= {(other, "screen"): recording(other).medium}

    await live.partition.media.sweep()

    assert await names(live, other) == []
    assert await download(live, job) == FILM
