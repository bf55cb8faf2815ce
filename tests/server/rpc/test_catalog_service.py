"""Definitions and queues: written whole, all or none, and shown with what follows from the jobs."""

from __future__ import annotations

import grpc
import pytest

from interlock.v1 import catalog_service_pb2 as pb
from interlock.v1.definition_pb2 import CompletionStrategy, Definition, LossPolicy, Parameter
from interlock.v1.queue_pb2 import Queue
from interlock.v1.status_pb2 import Lifecycle
from tests.support.served import reason, refusal


async def test_a_definition_comes_back_with_its_defaults_and_its_version(served):
    answer = await served.catalog.PutDefinitions(
        pb.PutDefinitionsRequest(
            definitions=[Definition(name="new", lifecycle=Lifecycle.LIFECYCLE_UIPATH)]
        )
    )

    (definition,) = answer.definitions
    assert (definition.queue, definition.priority, definition.version) == ("default", 45, 1)
    assert definition.on_robot_loss == LossPolicy.LOSS_POLICY_WAIT
    assert definition.completion == CompletionStrategy.COMPLETION_STRATEGY_DEFAULT
    assert definition.update_time.seconds > 0


async def test_what_is_given_is_what_is_kept(served):
    given = Definition(
        name="full",
        lifecycle=Lifecycle.LIFECYCLE_REDWOOD,
        description="two\nlines",
        queue="default",
        priority=7,
        parameters=[Parameter(name="n", type="integer", required=True, default_json="3")],
        return_code_map="0,40-90",
        completion=CompletionStrategy.COMPLETION_STRATEGY_EXTERNAL,
        on_robot_loss=LossPolicy.LOSS_POLICY_RERUN,
        hold_on_submit=True,
        message_on_failure=True,
        labels={"team": "ap"},
    )
    given.uncertain_timeout.FromSeconds(30)

    answer = await served.catalog.PutDefinitions(pb.PutDefinitionsRequest(definitions=[given]))

    kept = answer.definitions[0]
    for field in ("version", "update_time"):
        kept.ClearField(field)
    assert kept == given


async def test_one_bad_definition_leaves_all_as_they_were(served):
    error = await refusal(
        served.catalog.PutDefinitions(
            pb.PutDefinitionsRequest(
                definitions=[
                    Definition(name="a", lifecycle=Lifecycle.LIFECYCLE_UIPATH),
                    Definition(
                        name="b", lifecycle=Lifecycle.LIFECYCLE_REDWOOD, return_code_map="what"
                    ),
                ]
            )
        )
    )

    found = await served.catalog.ListDefinitions(pb.ListDefinitionsRequest())
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert [each.name for each in found.definitions] == ["invoice", "report"]


async def test_definitions_come_in_pages_by_name(served):
    first = await served.catalog.ListDefinitions(pb.ListDefinitionsRequest(page_size=1))
    second = await served.catalog.ListDefinitions(
        pb.ListDefinitionsRequest(page_size=1, page_token=first.next_page_token)
    )

    assert [first.definitions[0].name, second.definitions[0].name] == ["invoice", "report"]
    assert second.next_page_token == ""


async def test_a_definition_in_use_stays(served):
    await served.submit("report")

    error = await refusal(
        served.catalog.DeleteDefinitions(pb.DeleteDefinitionsRequest(names=["invoice", "report"]))
    )

    assert reason(error) == "IN_USE"
    found = await served.catalog.ListDefinitions(pb.ListDefinitionsRequest())
    assert len(found.definitions) == 2


async def test_a_held_queue_says_who_and_why_and_counts_what_waits(served):
    await served.submit("report", 3)

    held = await served.catalog.HoldQueue(
        pb.HoldQueueRequest(queue="default", reason="month end", requested_by="alice")
    )

    queues = (await served.catalog.ListQueues(pb.ListQueuesRequest())).queues
    default = next(queue for queue in queues if queue.name == "default")
    assert (held.queue.held_by, held.queue.hold_reason) == ("alice", "month end")
    assert (default.held, default.waiting, default.load) == (True, 3, 0)


async def test_a_queue_is_held_once(served):
    await served.catalog.HoldQueue(pb.HoldQueueRequest(queue="default"))

    error = await refusal(served.catalog.HoldQueue(pb.HoldQueueRequest(queue="default")))

    assert reason(error) == "QUEUE_ALREADY_HELD"


async def test_a_released_queue_goes_on(served):
    await served.catalog.HoldQueue(pb.HoldQueueRequest(queue="default"))

    answer = await served.catalog.ReleaseQueue(pb.ReleaseQueueRequest(queue="default"))

    assert not answer.queue.held


@pytest.mark.parametrize("name", ["default", "System"])
async def test_the_built_in_queues_stay(served, name):
    error = await refusal(served.catalog.DeleteQueues(pb.DeleteQueuesRequest(names=[name])))

    assert reason(error) == "IN_USE"


async def test_a_queue_is_written_and_removed(served):
    put = await served.catalog.PutQueues(
        pb.PutQueuesRequest(queues=[Queue(name="nightly", execution_size=2)])
    )
    await served.catalog.DeleteQueues(pb.DeleteQueuesRequest(names=["nightly"]))

    found = await served.catalog.ListQueues(pb.ListQueuesRequest())
    assert (put.queues[0].execution_size, put.queues[0].version) == (2, 1)
    assert "nightly" not in [queue.name for queue in found.queues]
