"""The tree of a checked expression, read from the standard message cel.expr.CheckedExpr.

The library writes the tree but has no classes for it, and the core knows no protobuf; so the few
fields that cost and names need are read off the wire here. Their numbers are those of
cel/expr/checked.proto and syntax.proto: released, never changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Fields by number; each occurrence is an int or bytes, as the field has it.
_Fields = dict[int, list[Any]]

#: The wire types: a number, counted bytes, and those of one size. Numbers have 7 bits in a byte.
_VARINT, _COUNTED = 0, 2
_FIXED_SIZES: Final = {1: 8, 5: 4}
_LAST_BYTE: Final = 128

#: Any: the message. CheckedExpr: the types by node, the tree. An entry of a map: key and value.
_ANY_VALUE, _TYPES, _TREE, _KEY, _VALUE = 2, 3, 4, 1, 2
#: Type: null, primitive, wrapper and well known; all others are dyn or made of parts.
_SCALAR_TYPES: Final = {2, 3, 4, 5}
#: Type: the primitive one, with the numbers of bool and of what is text.
_PRIMITIVE, _BOOL, _TEXTS = 3, 1, {5, 6}
#: Type: the map.
_MAP: Final = 7

#: Expr: its number, and the kind of node that it is.
_ID, _CONST, _STRUCT, _LOOP = 2, 3, 8, 9
_KINDS: Final = {
    _CONST: "const",
    4: "ident",
    5: "select",
    6: "call",
    7: "list",
    _STRUCT: "struct",
    _LOOP: "loop",
}
#: Where each kind has its text. A constant that is no string has none.
_TEXT: Final = {"const": 6, "ident": 1, "select": 2, "call": 2, "struct": 1, "loop": 1}
#: Where each kind has its children, in this order. An entry of a struct: its key and its value.
_CHILDREN: Final = {"select": (1,), "call": (1, 3), "list": (1,), "loop": (2, 4, 5, 6, 7)}
_ENTRIES, _ENTRY_PARTS = 2, (3, 4)


@dataclass(frozen=True, slots=True)
class Node:
    """One node of an expression."""

    #: const, ident, select, call, list, struct or loop.
    kind: str
    #: The variable, field or function; of a loop what each element is called; of a constant the
    #: string, and None when it is another one.
    text: str | None = None
    #: Target and arguments, or elements, or of a loop: range, start, condition, step, result.
    children: tuple[Node, ...] = ()
    #: The checker knows that it is a bool.
    is_bool: bool = False
    #: The checker knows that it is no list and no map.
    is_scalar: bool = False
    #: The checker knows that it is a scalar and no text: it has one size.
    is_plain: bool = False
    #: The checker knows that it is a map.
    is_map: bool = False

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


def read_tree(serialized: bytes) -> Node:
    """Read what the library has serialized: an Any with a CheckedExpr."""
    checked = _fields(_fields(serialized)[_ANY_VALUE][0])
    types: dict[int, _Fields] = {}
    for entry in map(_fields, checked.get(_TYPES, ())):
        types[entry[_KEY][0]] = _fields(entry[_VALUE][0])
    return _node(_fields(checked[_TREE][0]), types)


def _node(expr: _Fields, types: dict[int, _Fields]) -> Node:
    number = next(number for number in expr if number in _KINDS)
    kind = _KINDS[number]
    body = _fields(expr[number][0])
    children: list[Node] = []
    if kind == "struct":
        for entry in map(_fields, body.get(_ENTRIES, ())):
            children += _nodes(entry, _ENTRY_PARTS, types)
    else:
        children = _nodes(body, _CHILDREN.get(kind, ()), types)
    text = body.get(_TEXT.get(kind, 0))
    kind_of = types.get(expr[_ID][0], {})
    primitive = kind_of.get(_PRIMITIVE, [0])[0]
    is_scalar = not _SCALAR_TYPES.isdisjoint(kind_of)
    return Node(
        kind=kind,
        text=None if text is None else text[0].decode(),
        children=tuple(children),
        is_bool=primitive == _BOOL,
        is_scalar=is_scalar,
        is_plain=is_scalar and primitive not in _TEXTS,
        is_map=_MAP in kind_of,
    )


def _nodes(body: _Fields, numbers: tuple[int, ...], types: dict[int, _Fields]) -> list[Node]:
    return [_node(_fields(each), types) for number in numbers for each in body.get(number, ())]


def _fields(data: bytes) -> _Fields:
    """Split a message into its fields."""
    found: _Fields = {}
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        value: int | bytes
        wire = key & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
        else:
            size = _FIXED_SIZES.get(wire, 0)
            if wire == _COUNTED:
                size, at = _varint(data, at)
            value, at = data[at : at + size], at + size
        found.setdefault(key >> 3, []).append(value)
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number that starts there, and where the next field starts."""
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        shift += 7
        if byte < _LAST_BYTE:
            return number, at
