"""What stands between gRPC and every method: no exception's text and no silence reach a client.

A method raises what it refuses; here it becomes a rich status. What nobody expected becomes
INTERNAL with an id that stands in the log beside the traceback. Methods are found in one table, so
that no interceptor has to run for each call.
"""

from __future__ import annotations

import asyncio
from inspect import isasyncgenfunction
from typing import TYPE_CHECKING, Any, Final, NoReturn

import grpc
import structlog
from google.protobuf.message import DecodeError
from grpc.aio import AbortError, InternalError
from grpc_status import rpc_status  # type: ignore[import-untyped]

from interlock.v1.error_reason_pb2 import ErrorReason
from interlock_server import engine
from interlock_server.rpc.errors import Refused, malformed, refusal_of, rich_status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from interlock_server.ids import IdSource

    Behaviour = Callable[[Any, Any], Any]

#: Stands for a request that could not be read.
MALFORMED: Final = object()

_log = structlog.get_logger()


class GuardedMethods(grpc.GenericRpcHandler):
    """All methods of the server. Takes the place of a server in `add_..._to_server`."""

    def __init__(self, ids: IdSource) -> None:
        """Start without a method; `ids` makes the ids of errors."""
        self._ids = ids
        self._handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Find a method by its path."""
        return self._handlers.get(handler_call_details.method)

    def add_generic_rpc_handlers(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        """Do nothing: the same methods come through `add_registered_method_handlers`."""

    def add_registered_method_handlers(
        self, service: str, handlers: dict[str, grpc.RpcMethodHandler[Any, Any]]
    ) -> None:
        """Take the methods of a service in, each behind the guard."""
        for name, handler in handlers.items():
            self._handlers[f"/{service}/{name}"] = self._guarded(name, handler)

    def send_bytes(self, path: str) -> None:
        """Let a method write bytes that are already serialized."""
        self._handlers[path] = _replaced(self._handlers[path], response_serializer=None)

    def _guarded(
        self, name: str, handler: grpc.RpcMethodHandler[Any, Any]
    ) -> grpc.RpcMethodHandler[Any, Any]:
        reads = handler.request_deserializer
        changed: dict[str, Any] = {}
        if not handler.request_streaming:
            changed["request_deserializer"] = _safe(reads)
        for kind in ("unary_unary", "unary_stream", "stream_unary", "stream_stream"):
            behaviour = getattr(handler, kind)
            if behaviour is not None:
                changed[kind] = self._wrap(name, behaviour)
        return _replaced(handler, **changed)

    def _wrap(self, name: str, behaviour: Behaviour) -> Behaviour:
        if isasyncgenfunction(behaviour):
            return self._wrap_generator(name, behaviour)

        async def call(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            try:
                _refuse_malformed(request)
                return await behaviour(request, context)
            except AbortError:
                raise
            except InternalError:
                raise asyncio.CancelledError from None  # the caller left while it was written to
            except asyncio.CancelledError:
                _raise_if_ours(context)
                await end(context, _unknown())
            except Exception as error:  # noqa: BLE001  nothing may leave the server unseen
                await end(context, self._refusal(name, error))

        return call

    def _wrap_generator(self, name: str, behaviour: Behaviour) -> Behaviour:
        async def stream(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            try:
                _refuse_malformed(request)
                async for message in behaviour(request, context):
                    yield message
            except AbortError:
                raise
            except InternalError:
                raise asyncio.CancelledError from None  # the caller left while it was written to
            except asyncio.CancelledError:
                _raise_if_ours(context)
                await end(context, _unknown())
            except Exception as error:  # noqa: BLE001  nothing may leave the server unseen
                await end(context, self._refusal(name, error))

        return stream

    def _refusal(self, name: str, error: Exception) -> Refused:
        refused = refusal_of(error)
        if refused is not None:
            return refused
        error_id = self._ids.token()
        _log.error("rpc_failed", method=name, error_id=error_id, exc_info=error)
        return Refused(
            ErrorReason.ERROR_REASON_INTERNAL,
            f"the server has a bug; its log tells more under {error_id}",
            metadata={"error_id": error_id},
        )


def _replaced(
    handler: grpc.RpcMethodHandler[Any, Any], **changed: Any
) -> grpc.RpcMethodHandler[Any, Any]:
    """A copy of a method. What gRPC makes is a named tuple, which its types do not say."""
    replaced: grpc.RpcMethodHandler[Any, Any] = handler._replace(**changed)  # type: ignore[attr-defined]
    return replaced


def _safe(reads: Callable[[bytes], Any] | None) -> Callable[[bytes], Any] | None:
    """A reader that never raises: gRPC would send the exception's text."""
    if reads is None:
        return None

    def read(data: bytes) -> Any:
        try:
            return reads(data)
        except DecodeError:
            return MALFORMED

    return read


def _refuse_malformed(request: object) -> None:
    if request is MALFORMED:
        raise malformed()


def _raise_if_ours(context: grpc.aio.ServicerContext[Any, Any]) -> None:
    """Go on being cancelled if the call is; a cancellation of something else is no answer."""
    task = asyncio.current_task()
    if context.cancelled() or (task is not None and task.cancelling()):
        raise asyncio.CancelledError


def _unknown() -> Refused:
    refused = refusal_of(engine.OutcomeUnknown())
    assert refused is not None
    return refused


async def end(context: grpc.aio.ServicerContext[Any, Any], refused: Refused) -> NoReturn:
    """End a call with a refusal; raises AbortError."""
    try:
        await context.abort_with_status(rpc_status.to_status(rich_status(refused)))
    except InternalError:
        raise asyncio.CancelledError from None  # the caller left without waiting for it
    raise AssertionError("an abort raises")
