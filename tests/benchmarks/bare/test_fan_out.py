from __future__ import annotations

import pytest

from benchmarks.bare.fan_out import read_recording, write_recording


@pytest.mark.parametrize("messages", [[], [b""], [b"one", b"", b"x" * 70_000]])
def test_a_recording_reads_as_it_was_written(messages, tmp_path):
    path = tmp_path / "recording"

    write_recording(path, messages)

    assert read_recording(path) == messages
