"""A recording of a job, kept as a file outside the database (domain.md A11)."""

from __future__ import annotations

import msgspec


class Medium(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What is known of one recording; `digest` names its content."""

    job: int
    name: str
    digest: str
    size_bytes: int
    content_type: str = ""
    at_ms: int = 0
    robot: str = ""
