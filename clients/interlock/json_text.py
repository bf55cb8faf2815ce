"""Parameters, results and saved data travel as JSON text; here they are written and read."""

from __future__ import annotations

from typing import Any

import msgspec


def encode(value: Any, *, what: str) -> str:
    """Return the value as JSON text; a TypeError names `what` has a value that JSON lacks."""
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"expected {what} as JSON values, but {error}") from None


def decode(text: str) -> Any:
    """Return the value of a JSON text; None for an empty one."""
    return msgspec.json.decode(text) if text else None
