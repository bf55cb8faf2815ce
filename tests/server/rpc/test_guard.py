"""Nothing that goes wrong in a method reaches a client as text, as silence, or as UNKNOWN."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest

from interlock.v1 import job_service_pb2 as pb
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.ids import IdSource
from interlock_server.rpc.guard import GuardedMethods
from tests.support.served import error_info, reason, refusal

PATH = "/interlock.v1.JobService/"


async def break_down(_request: Any, _context: Any) -> None:
    raise ValueError("db password is hunter2")


async def leak_a_cancellation(_request: Any, _context: Any) -> None:
    raise asyncio.CancelledError


async def refuse(_request: Any, _context: Any) -> None:
    raise Rejection(Reason.ALREADY_FINAL, "it is over", status="Killed")


async def wait_for_ever(_request: Any, _context: Any) -> None:
    await asyncio.Event().wait()


async def abort(_request: Any, context: Any) -> None:
    await context.abort(grpc.StatusCode.DATA_LOSS, "said by the method itself")


METHODS = {
    "GetJob": break_down,
    "ListJobs": leak_a_cancellation,
    "HoldJobs": refuse,
    "KillJobs": wait_for_ever,
    "SubmitJobs": abort,
}


@pytest.fixture
async def channel():
    methods = GuardedMethods(IdSource())
    methods.add_registered_method_handlers(
        "interlock.v1.JobService",
        {
            name: grpc.unary_unary_rpc_method_handler(
                behaviour,
                request_deserializer=getattr(pb, f"{name}Request").FromString,
                response_serializer=getattr(pb, f"{name}Response").SerializeToString,
            )
            for name, behaviour in METHODS.items()
        },
    )
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((methods,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    await server.stop(None)


def call(channel, method, data=b""):
    return channel.unary_unary(PATH + method)(data)


async def test_the_text_of_an_exception_stays_in_the_log(channel, capfd):
    error = await refusal(call(channel, "GetJob"))

    assert error.code() is grpc.StatusCode.INTERNAL
    assert "hunter2" not in repr(error)
    error_id = error_info(error).metadata["error_id"]
    out, err = capfd.readouterr()
    assert error_id in out + err
    assert "hunter2" in out + err


async def test_a_leaked_cancellation_is_an_answer(channel):
    error = await refusal(call(channel, "ListJobs"))

    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert reason(error) == "OUTCOME_UNKNOWN"


async def test_a_refusal_is_a_rich_status(channel):
    error = await refusal(call(channel, "HoldJobs"))

    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert error_info(error).metadata["status"] == "Killed"


@pytest.mark.parametrize("data", [b"\xff\xff\xff", b"\x0a\xff", b"\x0a\x02\xc3\x28", b"\x08"])
async def test_bytes_that_are_no_message_are_refused(channel, data):
    error = await refusal(call(channel, "GetJob", data))

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason(error) == "MALFORMED_MESSAGE"


async def test_a_method_that_the_server_does_not_have_is_unimplemented(channel):
    error = await refusal(call(channel, "Nothing"))

    assert error.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_status_that_a_method_chose_itself_is_kept(channel):
    error = await refusal(call(channel, "SubmitJobs", pb.SubmitJobsRequest().SerializeToString()))

    assert error.code() is grpc.StatusCode.DATA_LOSS


async def test_a_caller_that_leaves_is_let_go(channel):
    waiting = call(channel, "KillJobs")
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
