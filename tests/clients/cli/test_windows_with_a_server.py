"""Time windows and schedules from the command line, with a real server behind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.clients.cli.test_with_a_server import served

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


async def test_windows_are_put_forecast_and_used(tmp_path: Path):
    async with served(tmp_path) as shell:
        await shell("window", "put", "nights", "--open", "22:00-06:00", "--zone", "Europe/Berlin")
        await shell("definition", "put", "load", "--lifecycle", "redwood")
        forecast = ("window", "forecast", "nights", "--from", "2026-06-01T00:00:00Z")
        out, _ = await shell(*forecast, "--count", "2", "--output", "json")
        assert json.loads(out) == [
            {"opens": "2026-06-01T00:00:00.000Z", "closes": "2026-06-01T04:00:00.000Z"},
            {"opens": "2026-06-01T20:00:00.000Z", "closes": "2026-06-02T04:00:00.000Z"},
        ]
        out, _ = await shell("window", "list")
        assert "22:00-06:00" in out
        await shell("submit", "load", "--window", "nights")
        _, err = await shell("window", "delete", "nights", expect=4)
        assert "in use by job 1" in err
        _, err = await shell("window", "put", "bad", "--open", "25:00-26:00", expect=2)
        assert "expected opens as HH:MM" in err
        await shell("window", "put", "other")
        await shell("window", "delete", "other")


async def test_schedules_are_put_held_released_and_ended(tmp_path: Path):
    async with served(tmp_path) as shell:
        await shell("definition", "put", "load", "--lifecycle", "redwood")
        put = ("schedule", "put", "nightly", "load", "--cron", "0 2 * * *")
        await shell(*put, "--zone", "Europe/Berlin")
        out, _ = await shell("schedule", "list", "--output", "json")
        (found,) = json.loads(out)
        assert (found["status_code"], found["live_jobs"]) == ("A", [1])
        out, _ = await shell("schedule", "history", "nightly")
        assert "fired" in out
        for verb, code in (("hold", "H"), ("release", "A"), ("end", "M")):
            out, _ = await shell("schedule", verb, "nightly", "--output", "json")
            assert f'"status_code": "{code}"' in out
        _, err = await shell("schedule", "release", "nightly", expect=4)
        assert "is over" in err
        await shell("schedule", "history", "nothing", expect=3)
        await shell("schedule", "delete", "nightly")
