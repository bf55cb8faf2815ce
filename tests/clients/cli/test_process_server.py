"""Process servers: shown with what keeps jobs back, changed only where asked."""

from __future__ import annotations

import json

import pytest

from interlock.v1.process_server_pb2 import ProcessServer, ProviderState, QueueProvider

SAP = ProcessServer(
    name="sap-1",
    description="the ledger",
    providers=[
        QueueProvider(queue="finance", execution_size=2, hold_level=80),
        QueueProvider(queue="night", window="nights"),
        QueueProvider(queue="default"),
    ],
    resources=["sap"],
    execution_size=10,
    load=3,
    provider_states=[
        ProviderState(queue="finance", load=2, held=True, held_by="olga", hold_reason="audit"),
        ProviderState(queue="night", window_closed=True),
        ProviderState(queue="default", load=1),
    ],
    robots=["robot-1", "robot-2"],
)


def test_a_process_server_shows_what_keeps_jobs_back(interlock):
    shown = interlock("process-server", "list", list_servers=[SAP]).out

    assert "3 / 10" in shown
    assert "robot-1, robot-2" in shown
    assert "finance (2 / 2; priority 80 and more; held by olga: audit)" in shown
    assert "night (window nights closed)" in shown
    assert "started" in shown


def test_a_stopped_server_says_by_whom_and_why(interlock):
    stopped = ProcessServer(name="sap-1", stopped=True, stopped_by="olga", stop_reason="patching")

    row = interlock("ps", "list", list_servers=[stopped]).out.splitlines()[1]

    assert "stopped" in row
    assert "stopped by olga: patching" in row


def test_a_server_without_robots_says_so(interlock):
    row = interlock("ps", "list", list_servers=[ProcessServer(name="sap-1")]).out.splitlines()[1]

    assert "no robot" in row


def test_process_servers_are_shown_as_json(interlock):
    ended = interlock("--output", "json", "ps", "list", list_servers=[SAP])

    [document] = json.loads(ended.out)
    assert document["provider_states"][0]["held_by"] == "olga"


def test_putting_a_server_keeps_what_is_not_given(interlock):
    ended = interlock(
        *("ps", "put", "sap-1", "--execution-size", "5"), list_servers=[SAP], put_servers=[SAP]
    )

    ([fields],) = ended.calls[1].arguments
    assert fields["execution_size"] == 5
    assert list(fields["providers"]) == list(SAP.providers)


def test_queues_are_given_with_their_settings(interlock):
    ended = interlock(
        *("ps", "put", "sap-1", "--replace", "--resource", "sap"),
        *("--queue", "finance,size=2,hold-level=80,window=nights", "--queue", "default"),
        put_servers=[SAP],
    )

    ([fields],) = ended.calls[0].arguments
    assert fields == {
        "name": "sap-1",
        "resources": ["sap"],
        "providers": [
            {"queue": "finance", "execution_size": 2, "hold_level": 80, "window": "nights"},
            {"queue": "default"},
        ],
    }


@pytest.mark.parametrize("setting", ["size=many", "size", "level=3", "window"])
def test_a_setting_that_is_none_is_refused_with_what_there_is(interlock, setting):
    ended = interlock("ps", "put", "sap-1", "--replace", "--queue", f"finance,{setting}")

    assert ended.code == 2
    assert "hold-level=NUMBER" in ended.err


def test_servers_are_stopped_with_a_reason_and_a_strategy(interlock):
    ended = interlock(
        *("ps", "stop", "sap-1", "sap-2", "-m", "patching", "--strategy", "soft-stop"),
        stop_servers=[SAP],
    )

    [call] = ended.calls
    assert call.arguments == (["sap-1", "sap-2"],)
    assert call.keywords == {"strategy": "soft_stop", "reason": "patching"}


def test_servers_are_started_and_deleted(interlock):
    started = interlock("ps", "start", "sap-1", start_servers=[SAP])
    deleted = interlock("ps", "delete", "sap-1", delete_servers=None)

    assert started.calls[0].arguments == (["sap-1"],)
    assert deleted.calls[0].arguments == (["sap-1"],)


def test_one_queue_is_held_and_released_on_one_server(interlock):
    held = interlock("ps", "hold", "sap-1", "finance", "-m", "audit", hold_provider=SAP)
    released = interlock("ps", "release", "sap-1", "finance", release_provider=SAP)

    assert held.calls[0].arguments == ("sap-1", "finance")
    assert held.calls[0].keywords == {"reason": "audit"}
    assert released.calls[0].arguments == ("sap-1", "finance")
