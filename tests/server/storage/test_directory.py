from __future__ import annotations

import stat

import pytest

from interlock_server.storage.directory import DataDirectory, DataDirectoryInUse


@pytest.fixture
def directory(tmp_path):
    directory = DataDirectory.open(tmp_path / "data")
    yield directory
    directory.close()


def test_only_the_owner_may_look_into_a_data_directory(directory):
    for folder in (directory.path, directory.backups, directory.journal_path("a").parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_second_server_is_told_who_holds_the_directory(directory):
    with pytest.raises(DataDirectoryInUse, match=r"another server uses it \(process \d+\)"):
        DataDirectory.open(directory.path)


def test_a_directory_that_was_given_up_can_be_taken(directory):
    directory.close()
    directory.close()

    DataDirectory.open(directory.path).close()


def test_partitions_are_those_with_a_journal(directory):
    for name in ("beta", "alpha"):
        directory.journal_path(name).touch()
    directory.journal_path("empty")

    assert directory.partitions() == ["alpha", "beta"]


@pytest.mark.parametrize("name", ["", "..", "../up", "a/b", ".hidden", "a b", "x" * 65, "é", "a\n"])
def test_a_name_that_is_no_folder_name_is_refused(directory, name):
    with pytest.raises(ValueError, match="expected a partition name"):
        directory.journal_path(name)
