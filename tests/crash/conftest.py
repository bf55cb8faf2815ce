"""The scoreboard of the crash tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crash.scoreboard import FILE, Scoreboard

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCOREBOARD = pytest.StashKey[Scoreboard]()


@pytest.fixture(scope="session")
def scoreboard(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scoreboard]:
    """Counts of this run, written and printed at its end."""
    board = request.config.stash[_SCOREBOARD] = Scoreboard()
    yield board
    board.write(tmp_path_factory.getbasetemp())


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print what was tried."""
    board = config.stash.get(_SCOREBOARD, None)
    if board is not None and board.counts:
        terminalreporter.section(f"reliability ({FILE.name})")
        for line in board.lines():
            terminalreporter.write_line(line)
