"""Settings that hold for every test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import settings

from tests.support.rows_plugin import RowsReport

if TYPE_CHECKING:
    import pytest

# No deadline: how long an example takes says more about the machine than about the code.
settings.register_profile("interlock", deadline=None, print_blob=True)
settings.load_profile("interlock")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rows", action="store_true", help="say which rows were exercised, and where")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--rows"):
        config.pluginmanager.register(RowsReport())
