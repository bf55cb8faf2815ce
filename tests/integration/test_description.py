"""The standard services: a client without our files learns the API and whether it is served."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.support.api_methods import METHODS, SERVICES
from tests.support.described import described_files, described_services
from tests.support.own_process import ServerProcess
from tests.support.sources import PROTOS

HEALTH = "grpc.health.v1.Health"
REFLECTION = "grpc.reflection.v1alpha.ServerReflection"
SERVING = health_pb2.HealthCheckResponse.SERVING


@pytest.fixture(scope="module")
def described(channel):
    """The API in a pool that knows nothing but what the server has said."""
    pool = DescriptorPool()
    for file in described_files(channel):
        pool.Add(file)
    return pool


def test_every_service_is_listed(channel):
    assert described_services(channel) == sorted([*SERVICES, HEALTH, REFLECTION])


def test_every_file_of_the_api_is_described(channel):
    files = {file.name for file in described_files(channel)}

    ours = {name for name in files if name.startswith("interlock/")}
    # What no service uses is not asked for: the list of reasons.
    unused = {"interlock/v1/error_reason.proto"}
    assert ours == {str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto")} - unused


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_described_as_it_is(described, name):
    method = METHODS[name]
    service, _, rpc = method.path.removeprefix("/").partition("/")

    found = described.FindServiceByName(service).FindMethodByName(rpc)

    assert found.client_streaming == method.reads_stream
    assert found.server_streaming == method.writes_stream
    for ours, theirs in (
        (method.request, found.input_type),
        (method.response, found.output_type),
    ):
        assert [(each.number, each.name, each.type) for each in theirs.fields] == [
            (each.number, each.name, each.type) for each in ours.DESCRIPTOR.fields
        ]


def test_a_client_that_knows_only_the_description_can_call(channel, described):
    service = described.FindServiceByName("interlock.v1.LifecycleService")
    method = service.FindMethodByName("DescribeLifecycle")
    request = GetMessageClass(method.input_type)(name="redwood")

    answer = channel.unary_unary(
        "/interlock.v1.LifecycleService/DescribeLifecycle",
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )(request.SerializeToString())

    assert len(answer.statuses) == 31
    assert len(answer.transitions) == 138


def test_what_the_api_has_not_is_said_so(channel):
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    request = reflection_pb2.ServerReflectionRequest(file_containing_symbol="interlock.v1.Nothing")

    (answer,) = stub.ServerReflectionInfo(iter([request]))

    assert answer.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


@pytest.mark.parametrize("service", ["", *SERVICES])
def test_every_service_is_healthy(channel, service):
    health = health_pb2_grpc.HealthStub(channel)

    answer = health.Check(health_pb2.HealthCheckRequest(service=service))

    assert answer.status == SERVING


def test_the_health_of_an_unknown_service_is_not_known(channel):
    health = health_pb2_grpc.HealthStub(channel)
    request = health_pb2.HealthCheckRequest(service="interlock.v1.Nothing")

    with pytest.raises(grpc.RpcError) as error:
        health.Check(request)
    watch = health.Watch(request)

    assert error.value.code() is grpc.StatusCode.NOT_FOUND
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
    watch.cancel()


def test_a_watcher_of_health_that_leaves_takes_nobody_with_it(tmp_path):
    with ServerProcess(tmp_path) as server, server.channel() as channel:
        health = health_pb2_grpc.HealthStub(channel)
        watches = [health.Watch(health_pb2.HealthCheckRequest()) for _ in range(3)]
        assert [next(watch).status for watch in watches] == [SERVING] * 3
        watches[0].cancel()

        with ThreadPoolExecutor() as readers:
            heard = [readers.submit(_statuses, watch) for watch in watches[1:]]
            code = server.stop()

        assert code == 0
        # Both streams ended well. The synchronous client may drop the last message of a stream that
        # has ended by the time it asks; nothing but NOT_SERVING may be heard.
        for each in heard:
            assert set(each.result()) <= {health_pb2.HealthCheckResponse.NOT_SERVING}


def _statuses(watch):
    return [said.status for said in watch]


def test_a_server_that_is_told_to_describes_nothing(tmp_path):
    with ServerProcess(tmp_path, "--reflection", "off") as server, server.channel() as channel:
        with pytest.raises(grpc.RpcError) as error:
            described_services(channel)

        assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED
