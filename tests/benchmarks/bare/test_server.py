from __future__ import annotations

from benchmarks.bare.server import read_folder


def test_every_byte_below_a_folder_is_read(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "one").write_bytes(b"12345")
    (tmp_path / "inner" / "two").write_bytes(b"678")

    assert read_folder(tmp_path) == 8
