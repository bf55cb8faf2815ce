"""A journal of every released version is still read, and says what it said then."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from interlock_server.core import invariants
from interlock_server.core.vocabulary.status import Status
from interlock_server.storage.journal import SqliteJournal
from interlock_server.storage.recovery import recover
from tests.support.core_driver import UIPATH
from tests.support.golden_journal import contents
from tests.support.live_partition import LivePartition

GOLDEN = Path(__file__).parents[2] / "golden"
JOURNALS = sorted(path.stem for path in GOLDEN.glob("journal_*.db"))

#: What a job can rest in when the first release is killed.
REACHABLE = {
    *(status for status in Status if status.name.startswith("UIPATH") and not status.is_final),
    Status.REDWOOD_SCHEDULED,
    Status.REDWOOD_QUEUE_HELD,
    Status.REDWOOD_HELD,
    Status.REDWOOD_QUEUED,
    Status.REDWOOD_DISPATCHED,
    Status.REDWOOD_ASSIGNED,
    Status.REDWOOD_RUNNING,
    Status.REDWOOD_WAITING,
    Status.REDWOOD_KILLING,
    Status.REDWOOD_CANCELING,
    Status.REDWOOD_CONSOLE,
    Status.REDWOOD_MODIFIED,
    Status.REDWOOD_NEVER,
}


@pytest.fixture(params=JOURNALS)
def journal_path(request, tmp_path) -> Path:
    """A copy, because opening writes."""
    return Path(shutil.copy(GOLDEN / f"{request.param}.db", tmp_path / f"{request.param}.db"))


def test_there_is_a_journal_of_the_first_release():
    assert "journal_v1" in JOURNALS


async def test_a_released_journal_says_what_it_said(journal_path):
    expected = json.loads((GOLDEN / f"{journal_path.stem}.json").read_text())
    journal = await SqliteJournal.open(journal_path)

    found = json.loads(json.dumps(await contents(journal)))
    invariants.check(await recover(journal))

    assert_holds(found, expected, "")
    await journal.close()


def assert_holds(found: Any, expected: Any, where: str) -> None:
    """Everything expected is there; a later release may have more fields."""
    if isinstance(expected, dict):
        for name, value in expected.items():
            assert name in found, f"{where}.{name} is missing"
            assert_holds(found[name], value, f"{where}.{name}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for index, value in enumerate(expected):
            assert_holds(found[index], value, f"{where}[{index}]")
    else:
        assert found == expected, where


async def test_the_journal_of_the_first_release_shows_every_status_that_can_rest(journal_path):
    if journal_path.stem != "journal_v1":
        pytest.skip("says what the first release could do")
    journal = await SqliteJournal.open(journal_path)

    world = await recover(journal)

    assert {Status(job.status) for job in world.jobs.values()} >= REACHABLE
    await journal.close()


async def test_work_goes_on_from_a_released_journal(journal_path):
    live = await LivePartition.start(await SqliteJournal.open(journal_path, durability="off"))

    job = await live.submit(UIPATH)
    await live.connect()
    await live.check_recovery()

    assert (await live.path(job)).startswith("Pending")
    await live.close()
