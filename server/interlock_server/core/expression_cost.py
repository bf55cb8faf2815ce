"""What evaluating an expression may cost, worked out before it is evaluated.

The tree says how much one round of each loop does; the sizes of what is read say how many rounds
there are and how long a comparison takes. Both are bounds, so the product is one. It does not
depend on the order in which a map is gone through, so a refusal never does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from interlock_server.core.expression_fault import failed, unfit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from interlock_server.core.expression_tree import Node

#: The most steps of one evaluation. A step is the work of one node, about 0.1 µs.
COST_MAX: Final = 100_000
#: The most rounds of all loops of one evaluation; the library itself ends what has more.
ROUNDS_MAX: Final = 9_999
#: How deep values and loops may be nested.
DEPTH_MAX: Final = 32
LOOPS_MAX: Final = 2

#: Going through text takes a step for so many characters, handing it to the library for fewer.
_TEXT_STEP: Final = 256
_COPY_STEP: Final = 64
#: The shortest text that is reckoned with: functions make short ones out of numbers and times.
_TEXT_MIN: Final = 64
#: Steps for one use of `matches`, and for each character that it reads; see PATTERN_BYTES_MAX.
_MATCH_STEPS, _MATCH_CHARACTER_STEPS = 1_000, 8

#: What lists and maps are when they are written out.
_WRITTEN: Final = {"list", "struct"}

_INT_END: Final = 2**63


@dataclass(frozen=True, slots=True, eq=False)
class _Loop:
    #: Elements of a written list, or 0 when it goes over something that is read.
    size: int
    #: What it goes over, from its variable on, as `_path` says; and what each element is called.
    path: tuple[str, ...]
    element: str
    #: What it goes over is a map.
    is_map: bool
    #: Over all rounds of the loop around it, it meets no entry twice.
    is_part: bool


@dataclass(slots=True)
class _Round:
    """What one round of the loops around it does."""

    nodes: int = 0
    #: Comparisons and searches that may go through a whole list or map.
    wholes: int = 0
    #: Searches for one text in another.
    searches: int = 0
    matches: int = 0


@dataclass(frozen=True, slots=True)
class Weight:
    """What a tree does, by the loops around it."""

    rounds: Mapping[tuple[_Loop, ...], _Round]
    #: How often text or lists may be joined.
    joins: int
    #: The longest text, and the largest list or map, that are written in it.
    longest: int
    largest: int


@dataclass(slots=True)
class _Sizes:
    """How large the values are that an expression reads."""

    #: All values, keys and elements, and all characters of them.
    entries: int = 0
    characters: int = 0
    #: Elements of all lists and maps.
    elements: int = 0
    #: The longest text, and the largest list or map.
    longest: int = 0
    largest: int = 0


def weigh(text: str, tree: Node, variables: Iterable[str]) -> Weight:
    """Count what each round of each loop does.

    Raises:
        ExpressionFault: a loop whose rounds cannot be known, or loops that are nested too deep.
    """
    rounds: dict[tuple[_Loop, ...], _Round] = {}
    names = frozenset(variables)

    def visit(node: Node, loops: tuple[_Loop, ...]) -> None:
        here = rounds.setdefault(loops, _Round())
        here.nodes += 1
        if node.kind == "call":
            here.wholes += _goes_through_all(node)
            here.searches += node.text == "contains"
            here.matches += node.text == "matches"
        inner = loops
        if node.kind == "loop":
            if len(loops) == LOOPS_MAX:
                raise unfit(text, f"loops are nested deeper than {LOOPS_MAX}")
            inner = (*loops, _loop(text, node, loops, names))
        for number, child in enumerate(node.children):
            # Of a loop, what it goes over is worked out once. Start and result are too, and counted
            # with the rounds all the same: that is one more, and a bound may be.
            visit(child, loops if number == 0 else inner)

    visit(tree, ())
    texts = [len(node.text or "") for node in tree.walk() if node.kind == "const"]
    lists = [len(node.children) for node in tree.walk() if node.kind in _WRITTEN]
    return Weight(
        rounds=rounds,
        joins=sum(node.text == "_+_" and not node.is_plain for node in tree.walk()),
        longest=max(texts, default=0),
        largest=max(lists, default=0),
    )


def bound(text: str, weight: Weight, data: Mapping[str, Any]) -> tuple[int, int]:
    """Return the most steps, and the most rounds of loops, that these values can lead to.

    Raises:
        ExpressionFault: a value is no JSON, nested too deep, or too large to be gone through.
    """
    sizes = _Sizes()
    for name, value in data.items():
        _measure(text, name, value, sizes, 0)
    growth = 1 + weight.joins
    characters = max(sizes.longest, weight.longest, _TEXT_MIN) * growth
    largest = max(sizes.largest, weight.largest) * growth
    copied = sizes.entries + sizes.characters // _COPY_STEP
    steps, rounds = copied, 0
    for loops, each in weight.rounds.items():
        times = 1
        for loop in loops:
            times = sizes.elements if loop.is_part else times * (loop.size or largest)
        # The round after the last one finds that there is none.
        rounds += times if loops else 0
        steps += (times + 1 if loops else 1) * (
            each.nodes * (1 + characters // _TEXT_STEP)
            + each.wholes * copied * growth
            + each.searches * (characters // _TEXT_STEP) ** 2
            + each.matches * (_MATCH_STEPS + _MATCH_CHARACTER_STEPS * characters)
        )
    return steps, rounds


def _goes_through_all(node: Node) -> bool:
    if node.text in {"_==_", "_!=_"}:
        return not any(child.is_scalar for child in node.children)
    if node.text == "@in":
        # The elements of a written list are nodes of their own, and scalars have no inside.
        element, within = node.children
        return within.kind != "list" or not (
            element.is_scalar or all(child.is_scalar for child in within.children)
        )
    return node.text == "_+_" and not node.is_plain


def _loop(text: str, node: Node, around: tuple[_Loop, ...], names: frozenset[str]) -> _Loop:
    over = node.children[0]
    element = node.text or ""
    if over.kind in _WRITTEN:
        size = max(1, len(over.children))
        return _Loop(size, (), element, is_map=False, is_part=False)
    path = _path(over)
    if not path or not (path[0] in names or path[0] in {loop.element for loop in around}):
        raise unfit(
            text, "a loop goes over a variable, a part of one, or a list that is written out"
        )
    return _Loop(
        size=0,
        path=path,
        element=element,
        is_map=over.is_map,
        is_part=any(_is_part(path, loop) for loop in around),
    )


def _is_part(path: tuple[str, ...], around: _Loop) -> bool:
    """Whether what is at the path is another part of the variable in each round of that loop."""
    # Different elements have different parts, as in x.calls; and so have the values of different
    # keys, as in steps[x].calls where x goes over the keys of steps.
    if not around.path:
        return False
    by_key = (*around.path, f"[{around.element}]")
    return path[0] == around.element or (around.is_map and path[: len(by_key)] == by_key)


def _path(node: Node) -> tuple[str, ...]:
    """Return a, .b, [c] for a.b[c] or a["b"][c], and nothing for what is no path."""
    if node.kind == "ident":
        return (node.text or "",)
    if node.kind == "call" and node.text == "dyn":
        return _path(node.children[0])
    if node.kind == "select":
        key = f".{node.text}"
    elif node.kind == "call" and node.text == "_[_]":
        index = node.children[1]
        key = {"ident": f"[{index.text}]", "const": f".{index.text}"}.get(index.kind, "?")
    else:
        return ()
    inner = _path(node.children[0])
    return (*inner, key) if inner else ()


def _measure(text: str, name: str, value: Any, sizes: _Sizes, depth: int) -> None:
    """Count a value, and refuse what the library would take for something else."""
    sizes.entries += 1
    if depth > DEPTH_MAX:
        raise failed(text, f"{name} is nested deeper than {DEPTH_MAX}")
    if sizes.entries > COST_MAX:
        raise failed(text, f"it reads more than {COST_MAX} entries")
    match value:
        case str():
            sizes.characters += len(value)
            sizes.longest = max(sizes.longest, len(value))
            if not is_whole(value):
                raise failed(text, f"{name} has text with half a character")
        case None | bool() | float() | datetime():
            pass
        case int():
            if not -_INT_END <= value < _INT_END:
                raise failed(text, f"{name} has {value}, which is no 64-bit number")
        case list():
            sizes.elements += len(value)
            sizes.largest = max(sizes.largest, len(value))
            for each in value:
                _measure(text, name, each, sizes, depth + 1)
        case dict():
            sizes.elements += len(value)
            sizes.largest = max(sizes.largest, len(value))
            for key, each in value.items():
                if not isinstance(key, str):
                    raise failed(text, f"{name} has the key {key!r}, which is no text")
                _measure(text, name, key, sizes, depth + 1)
                _measure(text, name, each, sizes, depth + 1)
        case _:
            raise failed(text, f"{name} has a {type(value).__name__}, which is no JSON")


def is_whole(text: str) -> bool:
    """Whether the text can be sent anywhere: Python's may have halves of characters."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
