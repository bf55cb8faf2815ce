"""`status`, `verify`, `backup` and `compact` say how the server and its data are."""

from __future__ import annotations

import json

from google.protobuf.timestamp_pb2 import Timestamp

from interlock.v1.admin_service_pb2 import BackupResponse, GetStatusResponse, VerifyResponse


def test_the_status_names_counts_and_what_to_look_at(interlock):
    found = GetStatusResponse(
        server_version="0.1.0",
        durability="off",
        revision=42,
        history_id="0f" * 16,
        open_messages=2,
        journal_bytes=5 << 20,
        media=3,
        media_bytes=7 << 20,
        retention_time=Timestamp(seconds=1_790_000_000),
        deleted_jobs=12,
        status_counts={"redwood/Queued": 3},
    )

    ended = interlock("status", server_status=found)

    assert "redwood/Queued" in ended.out
    assert "5.0 MiB" in ended.out
    assert "3 (7.0 MiB)" in ended.out
    assert "12 jobs deleted since the start" in ended.out
    assert "0f" * 16 in ended.out
    assert "interlock messages" in ended.out


def test_a_clean_verification_is_0(interlock):
    steps = [
        VerifyResponse(commits_read=1),
        VerifyResponse(commits_read=2, revision=9, done=True, digest="d1"),
    ]

    ended = interlock("verify", verify=steps)

    assert ended.code == 0
    assert "clean: 2 commits up to revision 9" in ended.out


def test_a_difference_is_1_and_is_named(interlock):
    steps = [VerifyResponse(done=True, problems=["job 7 is Running, replayed it is Killed"])]

    ended = interlock("verify", verify=steps)

    assert ended.code == 1
    assert ended.out == "job 7 is Running, replayed it is Killed\n"


def test_a_problem_named_before_the_last_step_counts(interlock):
    steps = [VerifyResponse(problems=["early"]), VerifyResponse(done=True)]

    ended = interlock("verify", "--json", verify=steps)

    assert ended.code == 1
    assert json.loads(ended.out)["problems"] == ["early"]


def test_a_verification_that_was_cut_off_is_a_failure(interlock):
    ended = interlock("verify", verify=[VerifyResponse(commits_read=1)])

    assert ended.code == 1
    assert "ended it early" in ended.err


def test_a_backup_says_where_it_is(interlock):
    made = BackupResponse(path="backups/night", revision=9, size_bytes=2048)

    ended = interlock("backup", "night", backup=made)

    assert ended.calls[0].arguments == ("night",)
    assert "backups/night" in ended.out
    assert "2.0 KiB" in ended.out


def test_a_compaction_says_what_is_kept(interlock):
    ended = interlock("compact", "--keep-revisions", "100", compact=7)

    assert ended.calls[0].keywords == {"keep_revisions": 100}
    assert "revision 7" in ended.out
