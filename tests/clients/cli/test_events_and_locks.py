"""`interlock event` and `interlock lock`: shown with who waits, changed only where asked."""

from __future__ import annotations

import json

import pytest

from interlock.v1.lock_pb2 import Lock, LockHolder, LockKind
from interlock.v1.named_event_pb2 import NamedEvent, Raise

FILE = NamedEvent(
    name="FILE_ARRIVED",
    description="from the bank",
    raised=True,
    raise_count=3,
    raises=[Raise(by="olga", comment="monday"), Raise(by="job 12")],
    waiting=4,
    dropped=2,
)
DATA = Lock(
    name="data",
    description="of the month",
    kind=LockKind.LOCK_KIND_SHARED_EXCLUSIVE,
    counts=5,
    held=5,
    holder_count=25,
    holders=[LockHolder(job=7, counts=1), LockHolder(job=9, counts=3)],
    waiting=2,
)


def test_an_event_shows_who_raised_it_what_is_pending_and_who_waits(interlock):
    row = interlock("event", "list", list_events=[FILE]).out.splitlines()[1]

    assert "raised" in row
    assert "2 (2 dropped)" in row
    assert "olga: monday" in row
    assert "4" in row


def test_an_event_that_is_not_raised_says_so(interlock):
    row = interlock("event", "list", list_events=[NamedEvent(name="A")]).out.splitlines()[1]

    assert "not raised" in row


def test_events_are_shown_to_programs_whole(interlock):
    shown = interlock("--output", "json", "event", "list", list_events=[FILE]).out

    assert json.loads(shown)[0]["raise_count"] == 3


def test_an_event_is_raised_with_a_comment_and_cleared(interlock):
    raised = interlock("event", "raise", "FILE_ARRIVED", "-m", "monday", raise_event=FILE)
    cleared = interlock("event", "clear", "FILE_ARRIVED", clear_event=FILE)

    assert raised.calls[0].keywords == {"comment": "monday"}
    assert raised.calls[0].arguments == cleared.calls[0].arguments == ("FILE_ARRIVED",)


@pytest.mark.parametrize(
    ("options", "description"),
    [((), "from the bank"), (("--description", "of the day"), "of the day")],
)
def test_putting_an_event_keeps_what_is_not_given(interlock, options, description):
    ended = interlock(
        *("event", "put", "FILE_ARRIVED", *options), list_events=[FILE], put_events=[FILE]
    )

    assert ended.calls[-1].arguments == ([{"name": "FILE_ARRIVED", "description": description}],)


@pytest.mark.parametrize("noun", ["event", "lock"])
def test_deleting_says_what_is_gone(interlock, noun):
    ended = interlock(noun, "delete", "a", "b", **{f"delete_{noun}s": None})

    assert ended.calls[0].arguments == (["a", "b"],)
    assert "deleted: a, b" in ended.err


def test_a_lock_shows_who_has_it_and_how_many_wait(interlock):
    row = interlock("lock", "list", list_locks=[DATA]).out.splitlines()[1]

    assert "shared-exclusive" in row
    assert "5 / 5" in row
    assert "7, 9 (3 counts) and 23 more" in row


def test_an_exclusive_holder_is_shown_as_one(interlock):
    lock = Lock(name="a", holders=[LockHolder(job=7, counts=5, exclusive=True)], holder_count=1)

    assert "7 (exclusively)" in interlock("lock", "list", list_locks=[lock]).out


def test_putting_a_lock_keeps_what_is_not_given(interlock):
    ended = interlock(
        *("lock", "put", "data", "--counts", "6"), list_locks=[DATA], put_locks=[DATA]
    )
    replaced = interlock(
        *("lock", "put", "data", "--replace", "--kind", "shared-exclusive"), put_locks=[DATA]
    )

    kept = {"description": "of the month", "kind": LockKind.LOCK_KIND_SHARED_EXCLUSIVE}
    assert ended.calls[1].arguments == ([{"name": "data", **kept, "counts": 6}],)
    assert replaced.calls[0].arguments == ([{"name": "data", "kind": "shared_exclusive"}],)
