"""Addresses, health and reflection."""

from __future__ import annotations

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from interlock.v1 import admin_service_pb2
from interlock_server.rpc.server import AddressInUse, services
from tests.support.served import refusal, serve

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def health(served, service: str) -> int:
    stub = health_pb2_grpc.HealthStub(served.channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
    return int(answer.status)


@pytest.mark.parametrize("service", ["", *services()])
async def test_every_service_is_healthy(served, service):
    assert await health(served, service) == SERVING


async def test_a_server_that_stops_says_so_to_health_checks(served):
    await served.running.rpc.say_stopping()

    assert await health(served, "") == NOT_SERVING


async def list_services(served) -> set[str]:
    stub = reflection_pb2_grpc.ServerReflectionStub(served.channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    call = stub.ServerReflectionInfo(iter([request]))
    answer = await call.read()
    return {each.name for each in answer.list_services_response.service}


async def test_a_server_for_this_machine_describes_itself(served):
    assert set(services()) <= await list_services(served)


async def test_reflection_can_be_turned_off(tmp_path):
    async with serve(tmp_path, reflection="off") as served:
        error = await refusal(list_services(served))

    assert error.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_second_server_cannot_take_the_address(served, tmp_path):
    with pytest.raises(AddressInUse, match="another server may use it"):
        async with serve(tmp_path / "second", listen=(served.address,)):
            pass


async def test_a_unix_socket_serves_too(tmp_path):
    async with serve(tmp_path / "data", listen=(f"unix:{tmp_path}/socket",)) as served:
        answer = await served.admin.ListPartitions(admin_service_pb2.ListPartitionsRequest())

    assert list(answer.names) == ["default"]


async def test_what_was_answered_is_there_after_a_restart(tmp_path):
    async with serve(tmp_path) as served:
        await served.put_definitions()
        (job,) = await served.submit("report")

    async with serve(tmp_path) as served:
        assert await served.status(job) > 0
