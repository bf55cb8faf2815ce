from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import peer
from benchmarks.peers import install
from benchmarks.peers.measured_peer import MeasuredPeer
from benchmarks.peers.protocol import NotInstalled


class Commands:
    """Runs nothing, remembers what it was asked to run, and fails where it is told to."""

    def __init__(self, monkeypatch, *, failing=()) -> None:
        self.asked: list[str] = []
        self._failing = failing
        monkeypatch.setattr(install, "_run", self)

    def __call__(self, *command):
        line = " ".join(command)
        self.asked.append(line)
        return next((f"no {word}" for word in self._failing if word in line), "")


@pytest.fixture
def policy(monkeypatch, tmp_path):
    path = tmp_path / "policy-rc.d"
    monkeypatch.setattr(install, "_POLICY", path)
    return path


def as_root_without_programs(monkeypatch):
    monkeypatch.setattr(install, "is_missing", lambda _name: True)
    monkeypatch.setattr("shutil.which", lambda _name: "apt-get")
    monkeypatch.setattr("os.geteuid", lambda: 0)


def test_each_server_is_installed_by_itself(monkeypatch, policy):
    as_root_without_programs(monkeypatch)
    commands = Commands(monkeypatch, failing=["redis-server"])

    said = list(install.install_programs())

    assert said == [
        "installed: postgresql-15",
        "not installed: redis-server: no redis-server",
        "installed: etcd-server",
    ]
    assert len(commands.asked) == 4


def test_another_release_of_postgresql_will_do(monkeypatch, policy):
    as_root_without_programs(monkeypatch)
    Commands(monkeypatch, failing=["postgresql-15"])

    assert "installed: postgresql" in list(install.install_programs())


def test_who_is_not_root_is_told_what_root_can_do(monkeypatch):
    as_root_without_programs(monkeypatch)
    monkeypatch.setattr("os.geteuid", lambda: 1_000)
    commands = Commands(monkeypatch)

    (sentence,) = install.install_programs()

    assert sentence.endswith(
        "only root can: apt-get install postgresql-15 redis-server etcd-server"
    )
    assert commands.asked == []


def test_nothing_is_installed_where_nothing_is_missing(monkeypatch):
    monkeypatch.setattr(install, "is_missing", lambda _name: False)
    commands = Commands(monkeypatch)

    assert list(install.install_programs()) == []
    assert commands.asked == []


def test_no_service_is_started_meanwhile(policy):
    with install.services_not_started():
        assert policy.read_text() == "#!/bin/sh\nexit 101\n"
        assert policy.stat().st_mode & 0o111

    assert not policy.exists()


def test_a_policy_of_the_machine_stays_as_it_is(policy):
    policy.write_text("the machine's own")

    with install.services_not_started():
        pass

    assert policy.read_text() == "the machine's own"


def test_packages_that_cannot_be_installed_do_not_keep_the_others_out(monkeypatch, tmp_path):
    pinned = tmp_path / "peers.txt"
    pinned.write_text("one==1 \\\n    --hash=sha256:aa\ntwo==2 \\\n    --hash=sha256:bb\n")
    asked = []

    def pip(requirements, *options):
        asked.append((requirements.read_text(), options))
        return "no two" if "two" in asked[-1][0] else ""

    monkeypatch.setattr(install, "_pip", pip)

    said = list(install.install_packages(pinned))

    assert said[-1] == "not installed: two==2: no two"
    assert asked[1:] == [
        ("one==1 \\\n    --hash=sha256:aa\n", ("--no-deps",)),
        ("two==2 \\\n    --hash=sha256:bb\n", ("--no-deps",)),
    ]


def test_every_package_that_a_peer_needs_is_pinned():
    pinned = {
        block.split("==")[0] for block in install.blocks(install.PINNED.read_text(encoding="utf-8"))
    }
    for make in peer.PEERS.values():
        made = make(Path())
        assert isinstance(made, MeasuredPeer)
        assert set(made.packages) <= pinned


def test_the_table_says_why_a_peer_is_skipped(monkeypatch):
    def missing(_self):
        raise NotInstalled("the program etcd is not installed")

    monkeypatch.setattr(MeasuredPeer, "check", missing)

    lines = list(install.table([install.look("etcd-single")]))

    assert lines[0].split() == ["peer", "version", "state"]
    assert lines[1].split(maxsplit=1) == [
        "etcd-single",
        "skipped: the program etcd is not installed",
    ]


def test_a_peer_whose_packages_do_not_load_is_not_ready(monkeypatch):
    monkeypatch.setattr(MeasuredPeer, "check", lambda _self: None)
    Commands(monkeypatch, failing=["import benchmarks.peers.dbos_load"])

    assert install.look("dbos").state == "skipped: no import benchmarks.peers.dbos_load"
