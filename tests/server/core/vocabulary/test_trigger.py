"""Triggers and actors: numbers that stay, and words for people and for programs."""

from __future__ import annotations

from interlock_server.core.vocabulary.actor import Actor
from interlock_server.core.vocabulary.lifecycle import ROWS
from interlock_server.core.vocabulary.trigger import TRIGGER_NUMBERS, Trigger


def test_trigger_numbers_count_from_one_without_a_gap():
    assert [int(each) for each in Trigger] == list(range(1, TRIGGER_NUMBERS))


def test_released_trigger_numbers_stay():
    assert (Trigger.SUBMIT, Trigger.KILL, Trigger.CANCEL, Trigger.TIME_OUT) == (1, 7, 26, 74)


def test_every_trigger_and_every_actor_is_used_by_some_row():
    rows = [each for each in ROWS if each is not None]

    assert {each.trigger for each in rows} == set(Trigger)
    assert {actor for each in rows for actor in each.actors} == set(Actor)


def test_a_trigger_has_a_verb_for_people_and_a_word_for_programs():
    assert Trigger.STOP_OR_KILL.verb == "stop or kill"
    assert Trigger.STOP_OR_KILL.text == "stop_or_kill"


def test_released_actor_numbers_stay():
    assert [(each.name, int(each)) for each in Actor] == [
        ("USER", 1),
        ("ROBOT", 2),
        ("CLOCK", 3),
        ("DISPATCHER", 4),
        ("CHAIN", 5),
        ("ACTION", 6),
        ("SCHEDULE", 7),
        ("NAMED_EVENT", 8),
        ("JOB", 9),
        ("SYSTEM", 10),
    ]
