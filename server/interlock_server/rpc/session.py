"""The connection of one robot: one task reads, one writes, and the session ends with either.

Report batches go to the engine as columns; nothing is awaited for a single report.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import grpc
import structlog

from interlock.v1.error_reason_pb2 import ErrorReason
from interlock_server.rpc import convert_robot, validate
from interlock_server.rpc.errors import InvalidArgument, Refused, going_away
from interlock_server.rpc.partition_lookup import find_partition
from interlock_server.sessions import Ack, End

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from interlock.v1 import robot_service_pb2 as pb
    from interlock_server.partitions import Partitions
    from interlock_server.sessions import Offer, Outgoing, SessionStream

    Context = grpc.aio.ServicerContext[pb.SessionRequest, pb.SessionResponse]

HELLO_S: Final = 10.0
#: Limits of one message to a robot.
OFFERS_MAX: Final = 1_000
OFFER_CHARS_MAX: Final = 1 << 20
REFUSED_MAX: Final = 5_000
ACKS_MAX: Final = 10_000

_log = structlog.get_logger()


async def serve_session(partitions: Partitions, context: Context) -> None:
    """Serve a session from Hello to its end; raises why it ended, if the robot did not wish it."""
    hello = await _read_hello(context)
    partition = find_partition(partitions, hello.partition)
    command = convert_robot.open_session(hello)
    opened, stream = await partition.sessions.open(command)
    bound = _log.bind(partition=partition.name, robot=stream.robot, epoch=stream.epoch)
    bound.info("session_opened", peer=context.peer())
    try:
        await context.write(
            convert_robot.welcome(
                opened,
                command,
                heartbeat_interval_ms=partition.sessions.heartbeat_interval_ms,
                time_to_live_ms=partition.sessions.time_to_live_ms,
            )
        )
        await _exchange(context, stream)
    finally:
        stream.broken()
        bound.info("session_ended")


async def _read_hello(context: Context) -> pb.Hello:
    try:
        async with asyncio.timeout(HELLO_S):
            first: Any = await context.read()
    except TimeoutError:
        raise Refused(
            ErrorReason.ERROR_REASON_HELLO_TIMEOUT,
            f"expected Hello within {HELLO_S:g} s, but nothing came",
        ) from None
    if first is grpc.aio.EOF or first.WhichOneof("message") != "hello":
        raise Refused(
            ErrorReason.ERROR_REASON_HELLO_REQUIRED,
            "expected Hello as the first message, but something else came",
        )
    hello: pb.Hello = first.hello
    return hello


async def _exchange(context: Context, stream: SessionStream) -> None:
    """Read and write until the robot or the server ends the session."""
    reader = asyncio.create_task(_read(context, stream), name=f"read {stream.robot}")
    writer = asyncio.create_task(_write(context, stream), name=f"write {stream.robot}")
    try:
        await asyncio.wait((reader, writer), return_when=asyncio.FIRST_COMPLETED)
        if not writer.done():
            reader.result()
            stream.end(End.GOODBYE)  # what is durable by now is still said
        await writer
    finally:
        reader.cancel()
        writer.cancel()
        await asyncio.gather(reader, writer, return_exceptions=True)


# -- from the robot -----------------------------------------------------------------------------


async def _read(context: Context, stream: SessionStream) -> None:
    while True:
        message: Any = await context.read()
        if message is grpc.aio.EOF:
            return
        stream.heard()
        if await _take(message, stream):
            return


async def _take(message: pb.SessionRequest, stream: SessionStream) -> bool:
    """Carry out what a robot says; true if it ends."""
    match message.WhichOneof("message"):
        case "columns":
            await stream.report(
                convert_robot.report_of_columns(stream.robot, stream.epoch, message.columns)
            )
        case "reports":
            await stream.report(
                convert_robot.report_of_messages(stream.robot, stream.epoch, message.reports)
            )
        case "heartbeat":
            await stream.heartbeat()
        case "order_acks":
            if len(message.order_acks.acks) > ACKS_MAX:
                raise validate.too_large("acks", len(message.order_acks.acks), ACKS_MAX)
            for ack in message.order_acks.acks:
                stream.acknowledge(ack.job, ack.fence, ack.kind, ack.message)
        case "drain":
            await stream.drain()
        case "goodbye":
            await stream.goodbye(validate.reason(message.goodbye.reason, "goodbye.reason"))
            return True
        case "hello":
            raise Refused(
                ErrorReason.ERROR_REASON_DUPLICATE_HELLO, "expected Hello once, but it came again"
            )
        case _:
            raise InvalidArgument("message", "expected one of its fields, but none is set")
    return False


# -- to the robot -------------------------------------------------------------------------------


async def _write(context: Context, stream: SessionStream) -> None:
    while True:
        outgoing = await stream.next()
        for message in _messages(outgoing):
            await context.write(message)
        if outgoing.end is End.GOODBYE:
            return
        if outgoing.end is End.GOING_AWAY:
            await context.write(convert_robot.going_away())
            raise going_away()
        if outgoing.end is not None:
            assert isinstance(outgoing.end, Exception)
            raise outgoing.end


def _messages(outgoing: Outgoing) -> Iterator[pb.SessionResponse]:
    if outgoing.ack is not None:
        for ack in _cut_ack(outgoing.ack):
            yield convert_robot.report_ack(ack)
    if outgoing.heartbeat is not None:
        yield convert_robot.heartbeat_ack(outgoing.heartbeat)
    if outgoing.orders:
        yield convert_robot.orders(outgoing.orders)
    for offers in _cut_offers(outgoing.offers):
        yield convert_robot.offers(offers)


def _cut_ack(ack: Ack) -> Iterator[Ack]:
    """An acknowledgement in parts that fit into a message; only the last one has its sequence."""
    refused = ack.refused
    while len(refused) > REFUSED_MAX:
        part, refused = refused[:REFUSED_MAX], refused[REFUSED_MAX:]
        yield Ack(part[0].sequence - 1, ack.revision, part)
    yield Ack(ack.sequence, ack.revision, refused)


def _cut_offers(offers: Sequence[Offer]) -> Iterator[Sequence[Offer]]:
    """Offers in parts that fit into a message."""
    part: list[Offer] = []
    chars = 0
    for offer in offers:
        size = len(offer.parameters) + len(offer.saved)
        if part and (len(part) == OFFERS_MAX or chars + size > OFFER_CHARS_MAX):
            yield part
            part, chars = [], 0
        part.append(offer)
        chars += size
    if part:
        yield part
