"""Why an expression is refused, in a sentence that names it."""

from __future__ import annotations

from typing import Final

_QUOTED_MAX: Final = 200


class ExpressionFault(ValueError):  # noqa: N818  a word of this project, as in Rejection
    """An expression is refused; the sentence says what is wrong and what there is instead."""


def unfit(text: str, problem: str) -> ExpressionFault:
    """Refuse an expression when its definition is made."""
    return ExpressionFault(
        f"expected an expression, but {_short(text)} does not compile: {problem}"
    )


def failed(text: str, problem: str) -> ExpressionFault:
    """Refuse an expression for the values that it reads."""
    return ExpressionFault(f"{_short(text)} cannot be evaluated: {problem}")


def _short(text: str) -> str:
    return repr(text) if len(text) <= _QUOTED_MAX else f"{text[:_QUOTED_MAX]!r}..."
