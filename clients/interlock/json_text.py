"""Parameters, results and saved data travel as JSON text; here they are written and read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


def encode(value: Any, *, what: str) -> str:
    """Return the value as JSON text; a TypeError says that `what` has a value that JSON lacks."""
    try:
        return msgspec.json.encode(value, enc_hook=_plain).decode()
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"expected {what} as JSON values, but {error}") from None


def decode(text: str) -> Any:
    """Return the value of a JSON text; None for an empty one."""
    return msgspec.json.decode(text) if text else None


def _plain(value: Any) -> Any:
    """Return what msgspec writes for a value of a class that it does not know."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"got one of type {type(value).__name__}")
