"""`health` exits with 0 exactly when the server says that it serves."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc


@pytest.fixture
def server():
    servicer = health.HealthServicer()
    made = grpc.server(ThreadPoolExecutor(max_workers=2))
    health_pb2_grpc.add_HealthServicer_to_server(servicer, made)
    port = made.add_insecure_port("127.0.0.1:0")
    made.start()
    yield f"127.0.0.1:{port}", servicer
    made.stop(None).wait()


def test_a_serving_server_is_0(interlock, server):
    ended = interlock("health", "--address", server[0])

    assert ended.code == 0
    assert ended.out == f"{server[0]} is serving\n"


def test_a_server_that_does_not_serve_is_1(interlock, server):
    server[1].set("", health_pb2.HealthCheckResponse.NOT_SERVING)

    ended = interlock("health", "--address", server[0], "--json")

    assert ended.code == 1
    assert json.loads(ended.out)["status"] == "not_serving"


def test_an_unknown_service_is_1(interlock, server):
    ended = interlock("health", "--address", server[0], "--service", "nobody")

    assert ended.code == 1
    assert "no service 'nobody'" in ended.err


def test_no_server_is_1_and_says_where_it_looked(interlock):
    ended = interlock("health", "--address", "127.0.0.1:1", "--timeout", "1s")

    assert ended.code == 1
    assert "expected 127.0.0.1:1 to serve" in ended.err
