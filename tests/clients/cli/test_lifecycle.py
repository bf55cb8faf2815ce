"""`lifecycle` shows the tables without a server, found through entry points."""

from __future__ import annotations

import json

import pytest

from interlock.cli import lifecycle
from interlock_server.core.vocabulary.lifecycle import LIFECYCLES, mermaid


def test_the_lifecycles_are_listed_with_their_size(interlock):
    found = json.loads(interlock("lifecycle", "list", "--json").out)

    assert {each["name"]: each["transitions"] for each in found} == {
        name: len(table.rows) for name, table in LIFECYCLES.items()
    }


@pytest.mark.parametrize("name", ["uipath", "redwood"])
def test_a_table_shows_every_row(interlock, name):
    ended = interlock("lifecycle", "show", name)

    assert all(row.id in ended.out for row in LIFECYCLES[name].rows)


def test_a_table_is_json(interlock):
    described = json.loads(interlock("lifecycle", "show", "redwood", "-o", "json").out)

    assert len(described["statuses"]) == 31


def test_a_diagram_is_mermaid(interlock):
    assert interlock("lifecycle", "show", "uipath", "-o", "mermaid").out == mermaid("uipath")


@pytest.mark.parametrize("status", ["Queued", "queued", "Q"])
def test_one_status_shows_what_leaves_it(interlock, status):
    described = json.loads(interlock("lifecycle", "show", "redwood", "-s", status, "--json").out)

    assert {row["from"] for row in described["transitions"]} == {"Queued"}


def test_codes_are_case_sensitive(interlock):
    described = json.loads(interlock("lifecycle", "show", "redwood", "-s", "q", "--json").out)

    assert {row["from"] for row in described["transitions"]} == {"Dispatched"}


def test_nothing_leaves_a_final_status(interlock):
    ended = interlock("lifecycle", "show", "redwood", "-s", "Completed")

    assert ended.code == 0
    assert "it is final" in ended.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("show", "airflow"), "'uipath', 'redwood'"),
        (("show", "uipath", "-s", "Queued"), "Statuses: Pending"),
        (("show", "uipath", "-o", "dot"), "mermaid"),
    ],
)
def test_what_does_not_exist_is_a_usage_error(interlock, arguments, sentence):
    ended = interlock("lifecycle", *arguments)

    assert ended.code == 2
    assert sentence in ended.err


def test_without_the_tables_it_says_what_to_install(interlock, monkeypatch):
    monkeypatch.setattr(lifecycle, "GROUP", "interlock.nothing")

    ended = interlock("lifecycle", "show", "uipath")

    assert ended.code == 1
    assert "pip install interlock" in ended.err
