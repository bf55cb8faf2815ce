from __future__ import annotations

import pytest

from benchmarks import peer as peers
from benchmarks.bench import Place
from benchmarks.measurement import at_least
from benchmarks.peer_rounds import against_peers
from benchmarks.rate import Rate
from benchmarks.rounds import Subject


class Peer:
    name = "Other 1.0"
    unit = "jobs/s"
    durability = "fsync on"

    def __init__(self, _folder):
        pass

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        pass

    async def run(self, seconds):
        return Rate(5, seconds)


class Missing(Peer):
    async def __aenter__(self):
        raise peers.NotInstalled("other-server is not installed")


class Broken(Peer):
    async def __aenter__(self):
        raise RuntimeError("it did not start")


class Ours:
    async def run(self, seconds):
        return Rate(10, seconds)


@pytest.fixture
def place(monkeypatch, tmp_path):
    fakes = {"other": Peer, "missing": Missing, "broken": Broken}
    monkeypatch.setattr(peers, "PEERS", fakes)
    return Place(tmp_path, rounds=2, peers=True)


async def rows(place, *names):
    subject = Subject("a case", "jobs/s", Ours())
    found = await against_peers(place, [subject], dict.fromkeys(names, at_least(1.5)))
    return [measurement.row() for measurement in found]


async def test_a_peer_is_measured_in_rounds_that_alternate(place):
    (row,) = await rows(place, "other")

    assert (row["comparison"], row["ratio"], row["rounds"]) == ("Other 1.0", 2.0, 2)
    assert row["durability"]["theirs"] == "fsync on"
    assert row["target"]["reached"]


async def test_what_is_not_installed_is_skipped_with_the_reason(place):
    missing, unknown = await rows(place, "missing", "unknown")

    assert missing["skipped"] == "other-server is not installed"
    assert unknown["skipped"] == "there is no comparison of this name"


async def test_a_peer_that_fails_is_reported_and_the_next_one_measured(place):
    broken, other = await rows(place, "broken", "other")

    assert broken["failed"] == "RuntimeError: it did not start"
    assert other["ratio"] == 2.0


async def test_nobody_is_looked_for_when_peers_are_left_out(tmp_path):
    assert await rows(Place(tmp_path), "other") == []


async def test_a_peer_is_started_once_for_all_subjects(place, monkeypatch):
    started = []

    class Counted(Peer):
        async def __aenter__(self):
            started.append(self)
            return self

    monkeypatch.setitem(peers.PEERS, "other", Counted)
    subjects = [Subject(title, "jobs/s", Ours()) for title in ("one", "two")]

    found = await against_peers(place, subjects, {"other": None})

    assert [each.title for each in found] == ["one", "two"]
    assert len(started) == 1


async def test_a_peer_that_counts_something_else_is_not_compared(place):
    (found,) = await against_peers(place, [Subject("a", "changes/s", Ours())], {"other": None})

    assert "it counts jobs/s, not changes/s" in found.failure
