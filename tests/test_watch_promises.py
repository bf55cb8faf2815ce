"""The validators of the watch themselves: each has to notice what it is for."""

from __future__ import annotations

import pytest

from tests.support.watch_promises import (
    PROMISES,
    Changes,
    Ended,
    Progress,
    Record,
    Truth,
    broken_promises,
)

TRUTH = Truth(matching=(1, 2, 3, 5, 6), turns=((1, 1), (2, 4), (5, 6)))


def record(*messages, from_revision=0):
    return Record(from_revision, list(messages))


@pytest.mark.parametrize(
    "sound",
    [
        record(),
        record(Progress(0), Changes((1,)), Changes((2, 3)), Progress(4), Changes((5, 6))),
        record(Changes((1, 2, 3)), Ended(4), Progress(4), Changes((5, 6)), Progress(9)),
        record(Changes((1,)), Ended(1), Ended(1), Changes((2, 3))),
        record(Changes((3,)), Changes((5, 6)), from_revision=2),
    ],
)
def test_a_sound_watch_breaks_no_promise(sound):
    assert broken_promises(sound, TRUTH) == []


@pytest.mark.parametrize(
    ("promise", "broken"),
    [
        ("ordered", record(Changes((1,)), Changes((3, 2)))),
        ("unique", record(Changes((1,)), Changes((2, 3)), Ended(1), Changes((2, 3)))),
        ("reliable", record(Changes((1,)), Changes((5, 6)))),
        ("reliable", record(Changes((1,)), Progress(4))),
        ("reliable", record(Changes((1,)), Changes((2, 3, 4)))),
        ("atomic", record(Changes((1,)), Changes((2,)), Changes((3,)))),
        ("resumable", record(Changes((1,)), Ended(1), Changes((5, 6)))),
        ("progress", record(Changes((1,)), Progress(3), Changes((2, 3)))),
        ("progress", record(Changes((1,)), Changes((2, 3)), Progress(1))),
    ],
)
def test_a_broken_promise_is_named(promise, broken):
    assert PROMISES[promise](broken, TRUTH)
    assert any(sentence.startswith(promise) for sentence in broken_promises(broken, TRUTH))
