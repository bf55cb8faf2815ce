"""The spellings that the command line derives are those of the lifecycle tables."""

from __future__ import annotations

import pytest

from interlock.cli.status_text import (
    FINAL,
    STYLE_OF,
    all_statuses,
    status_name,
    status_numbers,
)
from interlock_server.core.vocabulary.status import IS_FINAL, STATUS_NAME, Status


def test_every_status_has_the_vendors_spelling():
    assert [status_name(status) for status in Status] == [STATUS_NAME[each] for each in Status]


def test_the_final_statuses_are_those_of_the_tables():
    assert {STATUS_NAME[status] for status in Status if IS_FINAL[status]} == FINAL


def test_only_statuses_that_exist_have_a_colour():
    assert set(STYLE_OF) <= set(all_statuses())


def test_a_spelling_of_both_lifecycles_means_both():
    assert status_numbers("running") == [Status.UIPATH_RUNNING, Status.REDWOOD_RUNNING]


def test_a_lifecycle_before_the_spelling_chooses_one():
    assert status_numbers("redwood/Running") == [Status.REDWOOD_RUNNING]


def test_a_status_newer_than_this_program_is_shown_by_its_number():
    assert status_name(999) == "999"


@pytest.mark.parametrize("text", ["", "Qeued", "uipath/Queued", "sap/Running", "/"])
def test_an_unknown_status_is_refused_with_all_that_exist(text):
    with pytest.raises(ValueError, match="Statuses: Pending"):
        status_numbers(text)


@pytest.mark.parametrize("text", ["Workflowed", "redwood/workflowed"])
def test_the_other_name_of_a_status_is_understood_and_never_shown(text):
    assert status_numbers(text) == [Status.REDWOOD_CHAINED]
    assert "Workflowed" not in all_statuses()
