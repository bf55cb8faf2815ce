"""The statements of queries.sql, by name."""

from __future__ import annotations

from importlib import resources
from typing import Final

_MARK: Final = "-- name:"


def read_sql(name: str) -> str:
    """Return the text of a .sql file of this package."""
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


def split_statements(text: str) -> dict[str, str]:
    """Return the statements of a file by the name after `-- name:`."""
    _, *parts = text.split(_MARK)
    named = (part.partition("\n") for part in parts)
    return {title.split()[0]: statement.strip() for title, _, statement in named}


STATEMENTS: Final = split_statements(read_sql("queries.sql"))
