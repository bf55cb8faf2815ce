"""Instants and lengths of time: datetime and timedelta here, Timestamp and Duration on the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

if TYPE_CHECKING:
    from google.protobuf.message import Message


def to_timestamp(instant: datetime | None) -> Timestamp | None:
    """Return the instant for the wire; a time without a zone means two things and is refused."""
    if instant is None:
        return None
    if instant.tzinfo is None:
        raise ValueError(
            f"expected an instant with a time zone, such as datetime.now(UTC), but got {instant!r}"
        )
    timestamp = Timestamp()
    timestamp.FromDatetime(instant)
    return timestamp


def to_duration(length: timedelta | float | None) -> Duration | None:
    """Return the length of time for the wire; a number means seconds."""
    if length is None:
        return None
    duration = Duration()
    duration.FromTimedelta(timedelta(seconds=to_seconds(length)))
    return duration


def to_seconds(length: timedelta | float) -> float:
    """Return the length of time in seconds."""
    return length.total_seconds() if isinstance(length, timedelta) else float(length)


def instant_of(message: Message, field: str) -> datetime | None:
    """Return the instant in a field of a message; None if it is unset."""
    if not message.HasField(field):
        return None
    timestamp: Timestamp = getattr(message, field)
    return timestamp.ToDatetime(tzinfo=UTC)


def instant_of_ms(milliseconds: int) -> datetime:
    """Return the instant that is so long after 1970 began."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
