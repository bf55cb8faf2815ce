"""Runs the command line in this process, against a connection that gives the answers of a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from interlock.cli.invocation import Invocation
from interlock.cli.program import run
from tests.clients.cli.fake_interlock import FakeInterlock

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.clients.cli.fake_interlock import Call


@dataclass
class Ended:
    """How one run of the command line ended."""

    code: int
    out: str
    err: str
    calls: list[Call]


@pytest.fixture
def interlock(capsys) -> Callable[..., Ended]:
    """Return a function that runs `interlock` with arguments; keywords are the answers."""

    def call(*arguments: str, environ: dict[str, str] | None = None, **answers: Any) -> Ended:
        fake = FakeInterlock(answers)
        invocation = Invocation(
            connect=lambda _: fake,  # type: ignore[arg-type, return-value]  # the stand-in
            environ={"USER": "olga", **(environ or {})},
        )
        code = run(arguments, invocation)
        captured = capsys.readouterr()
        return Ended(code, captured.out, captured.err, fake.calls)

    return call
