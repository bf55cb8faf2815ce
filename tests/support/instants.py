"""Instants as people write them."""

from __future__ import annotations

from datetime import UTC, datetime


def ms_of(text: str) -> int:
    """Return the milliseconds of `2026-03-29 02:30+01:00`; UTC where no offset is given."""
    at = datetime.fromisoformat(text)
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def text_of(at_ms: int) -> str:
    """Return the UTC of an instant as `2026-03-29 01:30`, as short as it can be said."""
    text = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(sep=" ").removesuffix("+00:00")
    return text.removesuffix(":00").removesuffix(" 00:00")
