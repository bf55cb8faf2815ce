"""Expressions in CEL: compiled when a definition is made, evaluated under a cost limit.

The only file that knows the library (cel-expr-python, the CEL project's own). What an expression
may read is in vocabulary/variable.py; the language is that of the CEL specification except:

* `map` and `filter` do not exist: they take quadratic time, and chained they make values that
  double with each. Left are has, all, exists and exists_one.
* A loop goes over a variable, a part of one, or a written list; at most one loop inside another.
* The pattern of `matches` is written out, so that it is checked before it is used.

So the work of an evaluation is bounded before it starts, from the tree and the sizes of what it
reads, and refused above COST_MAX (expression_cost.py). What an expression gives depends on nothing
but what it reads: not on a clock, and not on the order in which the library goes through a map.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import re2
from cel_expr_python import cel

from interlock_server.core.expression_cost import (
    COST_MAX,
    ROUNDS_MAX,
    Weight,
    bound,
    is_whole,
    weigh,
)
from interlock_server.core.expression_fault import ExpressionFault, failed, unfit
from interlock_server.core.expression_tree import Node, read_tree
from interlock_server.core.vocabulary.variable import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Compiled",
    "ExpressionFault",
    "Gives",
    "compile_expression",
    "evaluate",
    "is_true",
    "seconds",
    "steps_of",
]

#: The longest expression, in characters.
TEXT_MAX: Final = 2_000
#: What a compiled pattern may take; it bounds how long compiling and matching take.
PATTERN_BYTES_MAX: Final = 16_384

_CONFIG: Final = """
stdlib:
  exclude_macros: [map, filter]
"""


class Gives(StrEnum):
    """What the place of an expression needs it to give; refused at once when it cannot."""

    #: Whatever can be kept: no list, map or type.
    ANYTHING = "a value"
    #: For `is_true`.
    CONDITION = "true or false"
    #: For `seconds`.
    NUMBER = "a number or a duration"


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """An expression that compiles where it is used."""

    text: str
    #: The variables it reads, each with the keys it reads of it; None when it reads the whole.
    reads: Mapping[str, frozenset[str] | None]
    #: The types of all variables of the place; what follows is for evaluating it.
    types: Mapping[str, str]
    weight: Weight
    program: cel.Expression


def compile_expression(
    text: str, *, variables: Mapping[str, str], gives: Gives = Gives.ANYTHING
) -> Compiled:
    """Compile an expression for a place, whose variables are in vocabulary/variable.py.

    Raises:
        ExpressionFault: it does not compile, reads what is not there, has a cost that cannot be
            bounded, or gives something else than the place needs.
    """
    return _compile(text, tuple(sorted(variables.items())), gives)


def evaluate(
    expression: Compiled | str,
    values: Mapping[str, Any],
    *,
    variables: Mapping[str, str] | None = None,
) -> Any:
    """Evaluate an expression; `values` are nested: {"job": {"id": 7, ...}, "now": 1764000000000}.

    Only what it reads has to be there. A text needs the variables of its place; it is compiled
    once. Gives a bool, int, float, str or None, a time in milliseconds, a duration in seconds.

    Raises:
        ExpressionFault: a value or key is missing, has another type, or the cost is too high.
    """
    compiled = _compiled(expression, variables)
    data = _bind(compiled, values)
    steps, rounds = bound(compiled.text, compiled.weight, data)
    if steps > COST_MAX:
        problem = f"it may take {steps} steps, and {COST_MAX} are allowed"
        raise failed(compiled.text, problem)
    if rounds > ROUNDS_MAX:
        problem = f"its loops may have {rounds} rounds, and {ROUNDS_MAX} are allowed"
        raise failed(compiled.text, problem)
    try:
        return _plain(compiled, compiled.program.eval(data=data))
    except RuntimeError as error:
        raise _failure(compiled, str(error)) from None


def is_true(
    expression: Compiled | str,
    values: Mapping[str, Any],
    *,
    variables: Mapping[str, str] | None = None,
) -> bool:
    """Evaluate a condition. Nothing but true is true, and nothing but a bool is taken.

    Raises:
        ExpressionFault: as `evaluate`, or it gives something else than true or false.
    """
    found = evaluate(expression, values, variables=variables)
    if not isinstance(found, bool):
        text = expression.text if isinstance(expression, Compiled) else expression
        raise ExpressionFault(
            f"expected {text!r} to be true or false, but it gives {_describe(found)}"
        )
    return found


def seconds(
    expression: Compiled | str,
    values: Mapping[str, Any],
    *,
    variables: Mapping[str, str] | None = None,
) -> float:
    """Evaluate a time span: a number of seconds, or a duration such as duration("90m").

    Raises:
        ExpressionFault: as `evaluate`, or it gives no number, or one below 0 or without end.
    """
    found = evaluate(expression, values, variables=variables)
    if isinstance(found, bool) or not isinstance(found, int | float):
        problem = f"it gives {_describe(found)}"
    elif not 0 <= found < math.inf:
        problem = f"it gives {found}"
    else:
        return float(found)
    text = expression.text if isinstance(expression, Compiled) else expression
    raise ExpressionFault(f"expected {text!r} to give seconds, 0 or more, but {problem}")


def steps_of(compiled: Compiled, values: Mapping[str, Any]) -> int:
    """The most steps that an evaluation can take with these values."""
    return bound(compiled.text, compiled.weight, _bind(compiled, values))[0]


def _compiled(expression: Compiled | str, variables: Mapping[str, str] | None) -> Compiled:
    if isinstance(expression, Compiled):
        return expression
    assert variables is not None, "a text compiles only for a place"
    return compile_expression(expression, variables=variables)


# --- compiling ------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _compile(text: str, variables: tuple[tuple[str, str], ...], gives: Gives) -> Compiled:
    types = dict(variables)
    if len(text) > TEXT_MAX:
        raise ExpressionFault(
            f"expected an expression of at most {TEXT_MAX} characters, but it has {len(text)}"
        )
    if not is_whole(text):
        raise ExpressionFault(f"expected an expression, but {text!r} has half a character")
    try:
        program = _environment(variables).compile(text)
    except RuntimeError as error:
        raise _refused(text, types, str(error)) from None
    tree = read_tree(program.serialize())
    _refuse_patterns(text, tree)
    _refuse_has(text, types)
    _refuse_messages(text, tree)
    reads = _reads(tree, types)
    for name in sorted(BY_NAME & reads.keys()):
        if reads[name] is None:
            raise unfit(text, f"{name} is read by names that are written, as in {name}['a']")
    _refuse_type(text, program, gives)
    return Compiled(text, reads, types, weigh(text, tree, types), program)


@lru_cache(maxsize=64)
def _environment(variables: tuple[tuple[str, str], ...]) -> cel.Env:
    return cel.NewEnv(
        config=cel.NewEnvConfigFromYaml(_CONFIG),
        variables={name: cel.Type(kind) for name, kind in variables},
    )


_MESSAGE: Final = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): ([^\n]*)")


def _refused(text: str, types: Mapping[str, str], message: str) -> ExpressionFault:
    """Say in one sentence what the library says in many lines; the first problem is the cause."""
    if "max recursion depth" in message or "recursion limit" in message:
        return unfit(text, "it is nested too deep")
    found = _MESSAGE.search(message)
    if not found:
        return unfit(text, message.partition("\n")[0])
    line, column, problem = found.groups()
    problem = problem.partition(" (in container")[0].partition(" expecting ")[0]
    problem = problem.removeprefix("Syntax error: ")
    macro = re.search(r"undeclared reference to '(map|filter)'", message)
    if macro:
        problem = f"there is no {macro[1]} here; use all, exists or exists_one"
    where = f" at line {line}, column {column}" if int(line) > 0 else ""
    names = f"; variables: {', '.join(types)}" if "undeclared" in problem else ""
    return unfit(text, f"{problem}{where}{names}")


def _refuse_type(text: str, program: cel.Expression, gives: Gives) -> None:
    kind = program.return_type().name().lower()
    allowed = {
        Gives.CONDITION: {"bool"},
        Gives.NUMBER: {"int", "uint", "double", "duration"},
    }.get(gives)
    if allowed and kind != "dyn" and kind not in allowed:
        raise ExpressionFault(f"expected {text!r} to give {gives}, but it gives {kind}")


def _refuse_patterns(text: str, tree: Node) -> None:
    for node in tree.walk():
        if node.kind != "call" or node.text != "matches":
            continue
        pattern = node.children[-1].text if node.children[-1].kind == "const" else None
        if pattern is None:
            raise unfit(text, "the pattern of matches is not written out")
        options = re2.Options()
        options.max_mem = PATTERN_BYTES_MAX
        options.log_errors = False
        try:
            re2.compile(pattern, options)
        except re2.error as error:
            reason = error.args[0]
            reason = reason.decode() if isinstance(reason, bytes) else str(reason)
            raise unfit(text, f"the pattern {pattern!r} is refused: {reason}") from None


_HAS: Final = re.compile(r"\bhas\s*\(\s*([\w.]+)\s*\)")


def _refuse_has(text: str, types: Mapping[str, str]) -> None:
    # The library reads has(job.id) as job.id, since that is one name, and would give the number.
    for name in _HAS.findall(text):
        if name in types:
            raise unfit(text, f"{name} is always there; has is for keys of maps, as in has(a.b)")


def _refuse_messages(text: str, tree: Node) -> None:
    for node in tree.walk():
        if node.kind == "struct" and node.text:
            raise unfit(text, f"it makes a {node.text}, and there are no messages here")


# --- names ----------------------------------------------------------------------------------------


def _reads(tree: Node, types: Mapping[str, str]) -> dict[str, frozenset[str] | None]:
    """Return which keys are read of each variable; None for a variable that is read as a whole."""
    keys: dict[str, set[str]] = {}
    wholes: set[str] = set()

    def visit(node: Node, hidden: frozenset[str]) -> None:
        name, key = _written_key(node)
        if name in types and key is not None and name not in hidden:
            keys.setdefault(name, set()).add(key)
            return
        name = node.text or ""
        if node.kind == "ident" and name in types and name not in hidden:
            wholes.add(name)
        inner = hidden | {node.text or "", _RESULT} if node.kind == "loop" else hidden
        for number, child in enumerate(node.children):
            visit(child, hidden if number == 0 else inner)

    visit(tree, frozenset())
    return {
        name: None if name in wholes else frozenset(keys[name])
        for name in sorted(wholes | keys.keys())
    }


#: What the library calls the value that a loop makes.
_RESULT: Final = "@result"


def _written_key(node: Node) -> tuple[str, str | None]:
    """Return variable and key of a.b, a["b"] and "b" in a."""
    match node:
        case Node(kind="select", text=key, children=(Node(kind="ident", text=str(name)),)):
            return name, key
        case Node(
            kind="call",
            text="_[_]",
            children=(Node(kind="ident", text=str(name)), Node(kind="const", text=key)),
        ):
            return name, key
        case Node(
            kind="call",
            text="@in",
            children=(Node(kind="const", text=key), Node(kind="ident", text=str(name))),
        ):
            return name, key
    return "", None


# --- values ---------------------------------------------------------------------------------------


def _bind(compiled: Compiled, values: Mapping[str, Any]) -> dict[str, Any]:
    """Pick what the expression reads, and no other keys of it."""
    return {
        name: _converted(compiled, name, _pick(compiled, name, keys, values))
        for name, keys in compiled.reads.items()
    }


def _pick(
    compiled: Compiled, name: str, keys: frozenset[str] | None, values: Mapping[str, Any]
) -> Any:
    found: Any = values
    for part in name.split("."):
        try:
            found = found[part]
        except (KeyError, TypeError):
            raise failed(compiled.text, f"there is no value for {name}") from None
    if keys is None or not isinstance(found, dict):
        return found
    return {key: found[key] for key in sorted(keys) if key in found}


def _converted(compiled: Compiled, name: str, value: Any) -> Any:
    """Turn milliseconds into a time, and refuse what is not of the type of the variable."""
    kind = compiled.types[name]
    fits: bool
    match kind.partition("<")[0]:
        case "timestamp":
            if isinstance(value, int) and not isinstance(value, bool):
                return _time(compiled, name, value)
            fits = False
        case "int":
            fits = isinstance(value, int) and not isinstance(value, bool)
        case "bool":
            fits = isinstance(value, bool)
        case "string":
            fits = isinstance(value, str)
        case "map":
            fits = isinstance(value, dict)
        case "list":
            fits = isinstance(value, list)
        case _:
            fits = True
    if not fits:
        raise failed(compiled.text, f"{name} has a {type(value).__name__}, and is a {kind}")
    return value


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _time(compiled: Compiled, name: str, milliseconds: int) -> datetime:
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise failed(compiled.text, f"{name} is no time: {milliseconds} ms since 1970") from None


def _plain(compiled: Compiled, value: cel.Value) -> Any:
    """Return what an expression gives as a value of ours."""
    kind = value.type().name().partition("<")[0]
    # Asked for first: value() of null gives away a reference to None that it does not own.
    if kind == "NULL":
        return None
    found: Any = value.value() if kind in _GIVEN else None
    match kind:
        case "ERROR":
            raise _failure(compiled, str(found))
        case "BOOL" | "INT" | "UINT" | "DOUBLE" | "STRING":
            return found
        case "TIMESTAMP":
            return (found - _EPOCH) // timedelta(milliseconds=1)
        case "DURATION":
            return found.total_seconds()
    raise failed(compiled.text, f"it gives a {kind.lower()}")


_GIVEN: Final = {"ERROR", "BOOL", "INT", "UINT", "DOUBLE", "STRING", "TIMESTAMP", "DURATION"}


def _describe(found: Any) -> str:
    return "nothing" if found is None else f"{type(found).__name__} {found!r:.100}"


_NO_KEY: Final = re.compile(r'Key not found in map : (".*")')


def _failure(compiled: Compiled, problem: str) -> ExpressionFault:
    """Take the names of error codes off what the library says."""
    problem = re.sub(r"^[A-Z_]+: | \[[A-Z_]+\]$", "", problem)
    no_key = _NO_KEY.search(problem)
    if no_key:
        problem = f"there is no key {no_key[1]}; has(a.b) tells whether there is one"
    return failed(compiled.text, problem)
