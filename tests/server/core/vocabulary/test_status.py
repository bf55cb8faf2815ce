"""Statuses: numbers, spellings, codes and states, and what a user may type for one."""

from __future__ import annotations

import pytest

from interlock_server.core.vocabulary.status import (
    IS_FINAL,
    LIFECYCLE_STATUSES,
    NONE_STATUS,
    STATUS_CODE,
    STATUS_LIFECYCLE,
    STATUS_NAME,
    STATUS_NUMBERS,
    STATUS_STATE,
    Lifecycle,
    State,
    Status,
    parse_status,
)

UIPATH, REDWOOD = Lifecycle.UIPATH, Lifecycle.REDWOOD

# Number, spelling, code ("-" for none), state: I(nitial), P(re-running), R(unning), F(inal).
FACTS = """
1 Pending - P  2 Running - R  3 Stopping - R  4 Terminating - R  5 Suspended - R
6 Resumed - R  7 Successful - F  8 Faulted - F  9 Stopped - F
11 New - I  12 Chained P I  13 Disabled J I  14 Delayed D I
15 Scheduled S P  16 QueueHeld B P  17 Held H P  18 EventWait V P  19 LockWait I P
20 Queued Q P  21 Dispatched q P  22 Assigned a P
23 PreRunning 6 R  24 Running R R  25 PostRunning 8 R  26 Waiting W R  27 Killing G R
28 Canceling c R  29 Console O R  30 Uncertain u R  31 ConsoleRestart o R
32 Completed C F  33 Error E F  34 Killed K F  35 Canceled A F  36 Skipped T F
37 Ignored j F  38 Unknown U F  39 Modified M P  40 Never N P  41 Overdue F P
"""


def test_every_status_has_the_spelling_code_and_state_of_the_domain():
    words = FACTS.split()
    facts = list(zip(words[::4], words[1::4], words[2::4], words[3::4], strict=True))

    assert facts == [
        (str(int(each)), each.spelling, each.code or "-", each.state.title[0]) for each in Status
    ]


def test_there_are_9_and_31_statuses():
    assert len(LIFECYCLE_STATUSES[UIPATH]) == 9
    assert len(LIFECYCLE_STATUSES[REDWOOD]) == 31


def test_the_30_codes_differ_when_case_counts():
    codes = [each.code for each in LIFECYCLE_STATUSES[REDWOOD] if each.code]

    assert len(codes) == len(set(codes)) == 30


def test_states_are_four_ranks_with_their_titles():
    assert [(each.value, each.title) for each in State] == [
        (0, "Initial"),
        (1, "Pre-running"),
        (2, "Running"),
        (3, "Final"),
    ]


def test_the_flat_tuples_agree_with_the_properties():
    for each in Status:
        assert STATUS_NAME[each] == each.spelling
        assert STATUS_CODE[each] == each.code
        assert STATUS_STATE[each] is each.state
        assert STATUS_LIFECYCLE[each] == each.lifecycle
        assert IS_FINAL[each] is each.is_final is (each.state is State.FINAL)


@pytest.mark.parametrize("number", [NONE_STATUS, 10])
def test_a_number_without_a_status_is_empty_everywhere(number):
    assert STATUS_NAME[number] == STATUS_CODE[number] == ""
    assert STATUS_LIFECYCLE[number] == 0
    assert IS_FINAL[number] is False


def test_every_flat_tuple_is_as_long_as_the_numbers():
    for flat in (STATUS_NAME, STATUS_CODE, STATUS_STATE, STATUS_LIFECYCLE, IS_FINAL):
        assert len(flat) == STATUS_NUMBERS == 42


@pytest.mark.parametrize("status", Status)
def test_every_status_is_found_by_its_name_in_any_case_and_by_its_code(status):
    assert parse_status(status.spelling, status.lifecycle) is status
    assert parse_status(status.spelling.upper(), status.lifecycle) is status
    if status.code:
        assert parse_status(status.code, status.lifecycle) is status


@pytest.mark.parametrize(
    ("text", "lifecycle", "status"),
    [
        ("Q", REDWOOD, Status.REDWOOD_QUEUED),
        ("q", REDWOOD, Status.REDWOOD_DISPATCHED),
        ("Workflowed", REDWOOD, Status.REDWOOD_CHAINED),
        ("Running", REDWOOD, Status.REDWOOD_RUNNING),
        ("Running", UIPATH, Status.UIPATH_RUNNING),
    ],
)
def test_codes_mind_their_case_and_names_their_lifecycle(text, lifecycle, status):
    assert parse_status(text, lifecycle) is status


@pytest.mark.parametrize(
    ("text", "lifecycle"),
    [
        ("", REDWOOD),
        ("", UIPATH),
        ("s", REDWOOD),
        ("Cancelled", REDWOOD),
        ("Pending", REDWOOD),
        ("Queued", UIPATH),
        ("Q", UIPATH),
        ("Workflowed", UIPATH),
    ],
)
def test_a_text_that_means_no_status_is_refused(text, lifecycle):
    with pytest.raises(ValueError, match=f"expected the name of a {lifecycle.text} status"):
        parse_status(text, lifecycle)


def test_the_refusal_lists_names_and_codes():
    with pytest.raises(ValueError) as refused:
        parse_status("Cancelled", REDWOOD)

    assert "Canceled, Skipped" in str(refused.value)
    assert "Q, q, a" in str(refused.value)
    assert "got 'Cancelled'" in str(refused.value)


def test_a_lifecycle_without_codes_offers_none():
    with pytest.raises(ValueError) as refused:
        parse_status("P", UIPATH)

    assert "code" not in str(refused.value)
