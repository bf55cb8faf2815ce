"""`interlock media` lists, fetches and deletes recordings."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from interlock.cli import exit_code
from interlock.errors import NotFound
from interlock.v1.job_pb2 import Medium

FILM = Medium(name="screen.webm", size_bytes=2_048, content_type="video/webm", robot="bot-7")


def media(**methods):
    async def listed(_job):
        return [FILM]

    return SimpleNamespace(**{"list": listed, **methods})


@pytest.fixture
def call(interlock, monkeypatch):
    """Run the command with these methods of `interlock.media`."""
    from tests.clients.cli.fake_interlock import FakeInterlock

    def run(*arguments, **methods):
        monkeypatch.setattr(FakeInterlock, "media", media(**methods), raising=False)
        return interlock("media", *arguments)

    return run


def test_recordings_are_listed_by_name(call):
    ended = call("list", "7")

    assert ended.code == 0
    assert ended.out.splitlines()[1].split()[:4] == ["screen.webm", "2.0", "KiB", "video/webm"]
    assert json.loads(call("list", "7", "-o", "json").out)[0]["size_bytes"] == 2_048
    assert call("list", "7", "-q").out == "screen.webm\n"


def test_a_recording_is_written_to_a_file(call, tmp_path):
    target = tmp_path / "film"

    async def download(job, name, path):
        assert (job, name) == (7, "screen.webm")
        target.write_bytes(b"film")
        return FILM

    ended = call("get", "7", "screen.webm", "--to", str(target), download=download)

    assert (ended.code, ended.out) == (0, "")
    assert ended.err == f"interlock: 2.0 KiB written to {target}\n"


def test_a_recording_goes_to_standard_output(call):
    async def download(_job, _name, file):
        file.write(b"film")
        return FILM

    assert call("get", "7", "screen.webm", download=download).out == "film"


def test_a_file_that_cannot_be_written_is_said(call, tmp_path):
    async def download(_job, _name, path):
        raise PermissionError(13, "Permission denied")

    ended = call("get", "7", "x", "--to", str(tmp_path), download=download)

    assert ended.code == exit_code.FAILURE
    assert "Permission denied. Choose another file" in ended.err


def test_a_recording_that_is_not_there_has_its_exit_code(call):
    async def download(_job, _name, _path):
        raise NotFound("there is no recording 'x' of job 7", reason="MEDIUM_NOT_FOUND")

    ended = call("get", "7", "x", download=download)

    assert ended.code == exit_code.NOT_FOUND


@pytest.mark.parametrize(("arguments", "names"), [(["a", "b"], ("a", "b")), (["--all"], None)])
def test_recordings_are_deleted_by_name_or_all_together(call, arguments, names):
    asked = []

    async def delete(job, given):
        asked.append((job, given))
        return [FILM]

    ended = call("delete", "7", *arguments, delete=delete)

    assert (ended.code, asked) == (0, [(7, names or ["screen.webm"])])
    assert "1 deleted" in ended.err


@pytest.mark.parametrize("arguments", [[], ["a", "--all"]])
def test_what_to_delete_has_to_be_clear(call, arguments):
    assert call("delete", "7", *arguments).code == exit_code.USAGE
