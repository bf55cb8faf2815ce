"""What every journal promises about keep rules, restarts and media; over SQLite and in memory."""

from __future__ import annotations

import pytest

from interlock_server.storage.journal import KeptJob, Medium, SpilledHistory
from tests.server.storage.test_journal_port import Journals, archived_job, commit_after


@pytest.fixture(params=["sqlite", "memory"])
async def journals(request, tmp_path):
    journals = Journals(request.param, tmp_path / "journal.db")
    yield journals
    if journals.journal:
        await journals.journal.close()


@pytest.fixture
async def journal(journals):
    return await journals.open()


def kept(job, **fields) -> KeptJob:
    return KeptJob(job=job, **{"definition": "payroll", "ended_ms": job * 10, **fields})


async def archive(journal, *jobs, **rest) -> None:
    await journal.append(
        commit_after(journal, archived=[archived_job(job) for job in jobs], **rest)
    )


async def test_jobs_that_go_by_age_are_found_once_they_may_go(journal):
    rules = [kept(1, expire_ms=300), kept(2, expire_ms=100), kept(3, expire_ms=200, count=5)]
    await archive(journal, 1, 2, 3, 4, kept=[*rules, kept(4, top=1)])

    assert await journal.expired_jobs(99, 10) == []
    assert await journal.expired_jobs(300, 10) == [2, 1]
    assert await journal.expired_jobs(300, 1) == [2]


async def test_jobs_with_a_count_are_listed_by_definition_latest_end_first(journal):
    rules = [kept(1, count=2), kept(2, count=2, ended_ms=70), kept(3, count=2, ended_ms=70)]
    other = kept(4, count=1, definition="audit")
    await archive(journal, 1, 2, 3, 4, 5, kept=[*rules, other, kept(5, expire_ms=1)])

    assert await journal.next_counted("") == "audit"
    assert await journal.next_counted("audit") == "payroll"
    assert await journal.next_counted("payroll") == ""
    first = await journal.counted_jobs("payroll", before_ms=10**15, before_job=0, limit=2)
    assert [each.job for each in first] == [3, 2]
    rest = await journal.counted_jobs("payroll", before_ms=70, before_job=2, limit=2)
    assert rest == [rules[0]]


async def test_jobs_that_go_together_with_another_are_listed_by_id(journal):
    followers = [kept(2, top=1), kept(3, top=1)]
    await archive(journal, 1, 2, 3, kept=[kept(1, count=1), *followers])

    assert await journal.following_jobs(0, 10) == followers
    assert await journal.following_jobs(2, 10) == followers[1:]
    assert await journal.following_jobs(0, 1) == followers[:1]


async def test_a_deleted_job_is_gone_with_all_that_belongs_to_it(journals, journal):
    await archive(
        journal,
        *(1, 2),
        kept=[kept(1, expire_ms=5), kept(2, count=1)],
        restarts=[(1, 2)],
        media=[medium(1, "film"), medium(2, "film")],
        spilled=[SpilledHistory(1, 0, b"part")],
    )

    assert await journal.delete_archived([1, 99]) == 1
    assert await journal.delete_archived([1]) == 0
    journal = await journals.open()

    assert await journal.archived_job(1) is None
    assert await journal.spilled_history(1) == []
    assert await journal.list_media([1, 2]) == [medium(2, "film")]
    assert await journal.expired_jobs(10**15, 10) == []
    assert await journal.restarts_of([1]) == [(1, 2)]
    assert await journal.archived_job(2) == archived_job(2)
    assert await journal.delete_archived([2]) == 1
    assert await journal.restarts_of([1]) == []
    assert await journal.next_counted("") == ""
    assert await journal.archived_count() == 0


def medium(job, name, digest="d1") -> Medium:
    return Medium(job, name, digest, 10, "video/webm", 7, "robot-1")


async def test_media_are_kept_with_their_commit_and_found_by_job(journals, journal):
    media = [medium(7, "a"), medium(7, "b", "d2"), medium(9, "a")]
    await journal.append(commit_after(journal, 0, media=media))

    journal = await journals.open()

    assert await journal.list_media([9, 7, 8]) == media
    assert await journal.list_media([]) == []
    assert await journal.media_jobs(0, 10) == [7, 9]
    assert await journal.media_jobs(7, 10) == [9]
    assert await journal.used_digests(["d1", "d2", "d3"]) == {"d1", "d2"}


async def test_media_that_were_dropped_are_not_found_any_more(journal):
    await journal.append(commit_after(journal, 0, media=[medium(7, "a"), medium(7, "b", "d2")]))
    await journal.append(commit_after(journal, 0, media=[medium(8, "a")]))

    await journal.append(commit_after(journal, 0, media_dropped=[(7, "a"), (7, "unknown")]))
    await journal.drop_media([8, 99])

    assert await journal.list_media([7, 8]) == [medium(7, "b", "d2")]
    assert await journal.used_digests(["d1", "d2"]) == {"d2"}
