from __future__ import annotations

import pytest

from benchmarks.bare_server import read_folder, read_recording, write_recording


@pytest.mark.parametrize("messages", [[], [b""], [b"one", b"", b"x" * 70_000]])
def test_a_recording_reads_as_it_was_written(messages, tmp_path):
    path = tmp_path / "recording"

    write_recording(path, messages)

    assert read_recording(path) == messages


def test_every_byte_below_a_folder_is_read(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "one").write_bytes(b"12345")
    (tmp_path / "inner" / "two").write_bytes(b"678")

    assert read_folder(tmp_path) == 8
