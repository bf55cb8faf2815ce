"""Contents appear under their digest, whole and durable, or not at all."""

from __future__ import annotations

import errno
import hashlib
import os

import pytest

from interlock_server.storage.media_files import MediaFiles, NoRoom

FILM = b"film" * 1_000
DIGEST = hashlib.sha256(FILM).hexdigest()


@pytest.fixture
async def files(tmp_path):
    files = MediaFiles(tmp_path / "media" / "default")
    await files.open()
    return files


async def written(files, content=FILM):
    unfinished = await files.begin()
    for start in range(0, len(content), 1_000):
        unfinished.write(content[start : start + 1_000])
    unfinished.sync()
    return unfinished


async def test_nothing_is_made_before_the_first_content(files, tmp_path):
    assert not (tmp_path / "media").exists()
    assert (files.count, files.used_bytes) == (0, 0)
    assert await files.free_bytes() > 0


async def test_a_content_is_stored_under_its_digest_once(files, tmp_path):
    for _ in range(2):
        unfinished = await written(files)
        assert unfinished.digest == DIGEST
        await files.place(unfinished)

    assert (files.count, files.used_bytes) == (1, len(FILM))
    assert (tmp_path / "media/default" / DIGEST[:2] / DIGEST[2:]).read_bytes() == FILM
    assert list((tmp_path / "media/default/unfinished").iterdir()) == []
    assert await files.stored(int(DIGEST[:2], 16)) == [DIGEST]


async def test_a_content_is_read_from_an_offset(files):
    await files.place(await written(files))

    with await files.open_content(DIGEST, 3_000) as file:
        assert file.read() == FILM[3_000:]
    assert await files.open_content("0" * 64, 0) is None


async def test_what_a_crash_left_unfinished_is_removed_and_the_rest_is_counted(files, tmp_path):
    await files.place(await written(files))
    await written(files, b"half")

    again = MediaFiles(tmp_path / "media" / "default")
    await again.open()

    assert (again.count, again.used_bytes) == (1, len(FILM))
    assert not (tmp_path / "media/default/unfinished").exists()


async def test_removing_frees_what_was_there(files):
    await files.place(await written(files))

    await files.remove([DIGEST, "0" * 64])
    await files.remove([DIGEST])

    assert (files.count, files.used_bytes) == (0, 0)
    assert await files.stored(int(DIGEST[:2], 16)) == []


async def test_a_discarded_content_leaves_nothing_and_may_be_discarded_again(files, tmp_path):
    unfinished = await written(files)

    unfinished.discard()
    unfinished.discard()

    assert list((tmp_path / "media/default/unfinished").iterdir()) == []


async def test_a_full_disk_is_told_from_a_broken_one(files, monkeypatch):
    def fail(number):
        def fsync(_descriptor):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "fsync", fsync)

    unfinished = await files.begin()
    unfinished.write(FILM)
    fail(errno.ENOSPC)
    with pytest.raises(NoRoom):
        unfinished.sync()
    fail(errno.EIO)
    with pytest.raises(OSError, match="Input/output"):
        unfinished.sync()
    unfinished.discard()


async def test_only_digests_become_paths(files):
    for name in ("../../etc/passwd", "", DIGEST.upper(), DIGEST + "0"):
        with pytest.raises(AssertionError, match="only digests"):
            await files.open_content(name, 0)
