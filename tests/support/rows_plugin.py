"""The report of `make rows`: pytest with `--rows` says which rows and statuses were reached, where.

The session fails when a row is missing, whatever the tests say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from interlock_server.core.vocabulary.lifecycle import ROWS
from interlock_server.core.vocabulary.status import LIFECYCLE_STATUSES, STATUS_NAME
from tests.support import rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.rows import Exercised


class RowsReport:
    """Collects what tests declare, and reports it when all are done."""

    def __init__(self) -> None:
        """Nothing is collected yet."""
        #: Tests by row, in the order in which they ran.
        self.tests: dict[str, list[tuple[str, Exercised]]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Iterator[None]:
        """Take what a test declared, if it passed."""
        report = yield
        if call.when == "call":
            found, rows.declared[:] = rows.declared.copy(), []
            if report.passed:  # type: ignore[attr-defined]
                self.take(item.nodeid, found)
        return report

    def take(self, test: str, found: list[Exercised]) -> None:
        """Remember what one test declared."""
        for each in found:
            self.tests.setdefault(each.row, []).append((test, each))

    def covered(self) -> set[str]:
        """Rows that count."""
        return {row for row, found in self.tests.items() if any(each.over_rpc for _, each in found)}

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Write the report below everything else."""
        terminal = config.pluginmanager.get_plugin("terminalreporter")
        assert isinstance(terminal, pytest.TerminalReporter)
        for line in self.lines():
            terminal.write_line(line)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail while a row is missing."""
        if len(self.covered()) < len(rows.ROW_IDS) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def lines(self) -> Iterator[str]:
        """The report, of which the last line is the count."""
        covered = self.covered()
        yield "rows, and the first test that exercised each:"
        for row in (row for row in ROWS if row is not None):
            words = f"{STATUS_NAME[row.source] or '-'} > {STATUS_NAME[row.target]}"
            yield f"  {row.id}  {words:<32} {row.trigger.verb:<22} {self._test_of(row.id)}"
        yield "statuses, and the test that reached each:"
        for lifecycle, statuses in LIFECYCLE_STATUSES.items():
            for status in statuses:
                into = [
                    row.id
                    for row in ROWS
                    if row is not None and row.target == status and row.id in covered
                ]
                where = self._test_of(into[0]) if into else "MISSING"
                yield f"  {lifecycle.text:<8} {STATUS_NAME[status]:<15} {where}"
        missing = [row for row in rows.ROW_IDS if row not in covered]
        if missing:
            yield f"missing: {' '.join(missing)}"
        yield f"rows covered: {len(covered)}/{len(rows.ROW_IDS)}"

    def _test_of(self, row: str) -> str:
        found = self.tests.get(row, [])
        for test, each in found:
            if each.over_rpc:
                return f"{each.actor:<12} {test}"
        return f"not over gRPC: {found[0][0]}" if found else "MISSING"
