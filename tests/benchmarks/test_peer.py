from __future__ import annotations

import json

import pytest

from benchmarks import peer
from benchmarks.peers.protocol import NotInstalled, Rate


class Fake:
    """A peer that does a hundred jobs in half a second, or is not there at all."""

    def __init__(self, error: Exception | None = None) -> None:
        self.name, self.unit, self.durability = "Fake 1.0", "jobs/s", "fsync=on"
        self._error = error

    async def __aenter__(self):
        if self._error is not None:
            raise self._error
        return self

    async def __aexit__(self, *error):
        pass

    async def run(self, seconds):
        return Rate(100, 0.5)


def with_fake(monkeypatch, error=None):
    monkeypatch.setitem(peer.PEERS, "fake", lambda _folder: Fake(error))


@pytest.mark.parametrize("name", peer.PEERS)
def test_every_peer_says_what_it_measures_before_anything_is_started(name, tmp_path):
    made = peer.PEERS[name](tmp_path)

    assert made.unit in {"transitions/s", "jobs/s", "changes/s"}
    assert made.name
    assert made.durability
    assert list(tmp_path.iterdir()) == []


def test_a_peer_is_run_by_itself(monkeypatch, capsys):
    with_fake(monkeypatch)

    assert peer.main(["fake", "--rounds", "2"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines == ["Fake 1.0 (fsync=on)", "200.0 jobs/s (rounds: 200.0, 200.0)"]


def test_its_rates_are_there_for_programs(monkeypatch, capsys):
    with_fake(monkeypatch)

    assert peer.main(["fake", "--rounds", "1", "--output", "json"]) == 0

    assert json.loads(capsys.readouterr().out) == {
        "peer": "fake",
        "name": "Fake 1.0",
        "unit": "jobs/s",
        "durability": "fsync=on",
        "median": 200.0,
        "rates": [200.0],
    }


def test_a_peer_that_is_not_installed_is_skipped_with_the_reason(monkeypatch, capsys):
    with_fake(monkeypatch, NotInstalled("the program x is not installed"))

    assert peer.main(["fake"]) == peer.SKIPPED
    assert capsys.readouterr().err == "fake: skipped: the program x is not installed\n"


def test_a_peer_that_fails_is_reported(monkeypatch, capsys):
    with_fake(monkeypatch, RuntimeError("it broke"))

    assert peer.main(["fake"]) == peer.FAILED
    assert capsys.readouterr().err == "fake: failed: RuntimeError: it broke\n"


@pytest.mark.parametrize("arguments", [["no"], ["fake", "--rounds", "0"], ["fake", "--seconds=0"]])
def test_a_wrong_argument_ends_with_2(arguments, monkeypatch):
    with_fake(monkeypatch)

    with pytest.raises(SystemExit) as ended:
        peer.main(arguments)

    assert ended.value.code == 2
