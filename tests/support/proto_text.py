"""Reads .proto files as text: what is declared, on which line, with which comment before it.

Descriptors in generated code carry no comments, and protoc is not everywhere; this reads just
enough of the language for the tests of style.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCKS: Final = re.compile(r"(message|enum|service|oneof|rpc)\s+(\w+)")
FIELD: Final = re.compile(
    r"(?:(?:repeated|optional)\s+)?(?:map\s*<[^>]*>|[\w.]+)\s+(\w+)\s*=\s*\d+"
)
VALUE: Final = re.compile(r"(\w+)\s*=\s*(-?\w+)")
STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
PIECES: Final = re.compile(r"[;{}\[\]]|[^\s;{}\[\]][^;{}\[\]]*")
NOT_DECLARATIONS: Final = ("option", "reserved", "extensions", "import", "syntax", "package")


@dataclass(frozen=True, slots=True)
class Declaration:
    """One named thing in a proto: its kind, its name, what it is inside of, and its comment."""

    kind: str
    name: str
    parents: tuple[str, ...]
    comment: str
    line: int
    number: str = ""


@dataclass(slots=True)
class _Statement:
    text: str
    end: str
    comment: str
    line: int


def read_declarations(source: str) -> list[Declaration]:
    """Return everything that is declared in a proto, in its order."""
    declarations: list[Declaration] = []
    open_blocks: list[tuple[str, str]] = []
    for statement in _read_statements(source):
        if statement.end == "}":
            open_blocks.pop()
            continue
        parents = tuple(name for _, name in open_blocks)
        inside = open_blocks[-1][0] if open_blocks else ""
        kind, name, number = _classify(statement.text, inside)
        if kind:
            found = Declaration(kind, name, parents, statement.comment, statement.line, number)
            declarations.append(found)
        if statement.end == "{":
            open_blocks.append((kind, name))
    return declarations


def _classify(text: str, inside: str) -> tuple[str, str, str]:
    if found := BLOCKS.match(text):
        return found[1], found[2], ""
    if text.split(" ", 1)[0].rstrip("(") in NOT_DECLARATIONS or inside == "rpc":
        return "", "", ""
    if inside == "enum" and (found := VALUE.match(text)):
        return "value", found[1], found[2]
    if inside in {"message", "oneof"} and (found := FIELD.match(text)):
        return "field", found[1], ""
    return "", "", ""


def _read_statements(source: str) -> Iterator[_Statement]:
    """Split a proto at its semicolons and braces, keeping the comment right above each piece."""
    comment: list[str] = []
    current: _Statement | None = None
    depth = 0  # of square brackets: what is inside them is an option, whatever it looks like
    for number, line in enumerate(source.splitlines(), start=1):
        code, _, remark = STRING.sub('""', line).partition("//")
        if not code.strip():
            # A blank line ends a comment: what follows it is not what the comment is about.
            if current is None:
                comment = [*comment, remark.strip()] if "//" in line else []
            continue
        for piece in PIECES.findall(code):
            if current is None:
                current = _Statement("", "", "\n".join(comment), number)
                comment = []
            depth += {"[": 1, "]": -1}.get(piece, 0)
            if piece in {";", "{", "}"} and depth == 0:
                current.end = piece
                yield current
                current = None
            elif depth == 0 and piece != "]":
                current.text = f"{current.text} {' '.join(piece.split())}".strip()
