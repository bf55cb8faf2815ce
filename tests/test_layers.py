"""The layers: who may import whom. A new top-level module takes its place in the tables here.

The core is pure, storage and watch do not know each other, grpc stops at rpc, the SDK and the
server share the generated messages and nothing else.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Final

import pytest

from tests.support.imports import imported_modules, is_within
from tests.support.sources import GENERATED, REPOSITORY, module_name, python_files, relative

SERVER = "interlock_server"

#: Read by every layer above the core; they know nothing of Interlock themselves.
FOUNDATION: Final = {"clock", "ids", "config", "logs", "failpoints"}

#: What each part of the server may import of the server, besides itself. A part that is not
#: listed is on the level of app: it may import everything, and only such parts may import it.
MAY_IMPORT: Final = {
    **dict.fromkeys(FOUNDATION, FOUNDATION),
    "core": set(),
    "storage": {"core"} | FOUNDATION,
    "watch": {"core"} | FOUNDATION,
    "engine": {"core"} | FOUNDATION,
    "sessions": {"core", "engine"} | FOUNDATION,
    "checkpoint": {"core", "engine", "storage"} | FOUNDATION,
    "timers": {"core", "engine"} | FOUNDATION,
    "media": {"core", "engine", "storage"} | FOUNDATION,
    "housekeeping": {"core", "engine", "storage", "media"} | FOUNDATION,
    "partition": {
        *("core", "storage", "watch", "engine", "sessions", "timers", "checkpoint"),
        *("media", "housekeeping"),
    }
    | FOUNDATION,
    "partitions": {"engine", "partition", "storage"} | FOUNDATION,
    "rpc": {"core", "watch", "engine", "sessions", "media", "partition", "partitions"} | FOUNDATION,
}

#: Levels inside the core. What is not listed is at the top.
CORE_LEVELS: Final = {
    "vocabulary": 0,
    "expression_fault": 0,
    "expression_tree": 0,
    "expression_cost": 1,
    "expression": 1,
    "change": 1,
    "fact": 1,
    "model": 2,
    "spans": 0,
    "zone": 0,
    "recurrence_rule": 0,
    "opening_hours": 3,
    "calendar": 3,
    "openings": 3,
    "recurrence": 3,
    "kin": 4,
    "gate": 3,
    "lane": 3,
    "pool": 3,
    "lanes": 3,
    "line": 3,
    "waiting": 4,
    "row_effect": 5,
    "lock_line": 3,
    "world": 4,
    "command": 5,
    "rejection": 4,
    "holding": 5,
    "apply": 5,
    "turn": 6,
    "rules": 7,
}
CORE_TOP: Final = 8

#: Applying an event never runs a rule, so that recovery decides nothing.
NEVER_DECIDES: Final = ("core.rules", "core.decide", "core.turn")

IMPURE: Final = (
    *("asyncio", "threading", "socket", "subprocess", "os", "pathlib", "logging", "structlog"),
    *("time", "random", "secrets", "uuid", "sqlite3", "aiosqlite", "grpc", "google", "interlock"),
)
#: Time, chance and identity are handed in; only these parts make them.
ONLY_IN: Final = {
    "time": ("clock",),
    "random": ("ids",),
    "secrets": ("ids",),
    "uuid": ("ids",),
    "sqlite3": ("storage",),
    "aiosqlite": ("storage",),
    # It computes and does nothing else, so the core may have it, behind one file.
    "cel_expr_python": ("core.expression",),
    "grpc": ("rpc",),
    "interlock": ("rpc", "storage.codec"),
    # Pure only when they are handed a start, else they ask the clock; and zones are read from files
    # when they are first named. One place each sees to it.
    "dateutil": ("core.recurrence_rule",),
    "cronsim": ("core.recurrence",),
    "zoneinfo": ("core.zone",),
}


def part_of(module: str) -> str:
    """Return `engine` for interlock_server.engine and everything below it."""
    return module.removeprefix(SERVER).lstrip(".").partition(".")[0]


def core_level(module: str) -> int:
    return CORE_LEVELS.get(module.removeprefix(f"{SERVER}.core.").partition(".")[0], CORE_TOP)


def broken_layers(source: str, module: str, *, is_package: bool = False) -> list[str]:
    """Return a sentence for each import of a server module that its layer does not allow."""
    imports = sorted(imported_modules(source, module, is_package=is_package))
    return [
        f"{module} imports {imported}: {why}"
        for imported in imports
        if (why := why_not(module, imported))
    ]


def why_not(module: str, imported: str) -> str:
    if is_within(imported, SERVER):
        return why_not_inside(module, imported)
    own = module.removeprefix(f"{SERVER}.")
    if part_of(module) == "core" and is_within(imported, *IMPURE):
        return "the core is pure"
    if is_within(imported, "interlock") and not is_within(imported, "interlock.v1"):
        return "the server never imports the SDK, only interlock.v1"
    for package, parts in ONLY_IN.items():
        if is_within(imported, package) and not is_within(own, *parts):
            return f"only {' and '.join(parts)} may"
    return ""


def why_not_inside(module: str, imported: str) -> str:
    here, there = part_of(module), part_of(imported)
    if here == there == "core":
        if core_level(imported) > core_level(module):
            return "it is on a higher level of the core"
        forbidden = [f"{SERVER}.{name}" for name in NEVER_DECIDES]
        if is_within(module, f"{SERVER}.core.apply") and is_within(imported, *forbidden):
            return "applying an event decides nothing"
        return ""
    if here in {there, ""} or there.startswith("__"):
        return ""
    if here not in MAY_IMPORT or there in MAY_IMPORT[here]:
        return ""
    return f"{here} may import {', '.join(sorted(MAY_IMPORT[here])) or 'nothing of the server'}"


def test_the_server_keeps_its_layers():
    broken = [
        sentence
        for path in python_files(REPOSITORY / "server")
        for sentence in broken_layers(
            path.read_text(encoding="utf-8"),
            module_name(path),
            is_package=path.name == "__init__.py",
        )
    ]

    assert broken == []


def test_the_sdk_never_imports_the_server():
    broken = [
        f"{relative(path)} imports {imported}"
        for path in python_files(REPOSITORY / "clients")
        for imported in imported_modules(path.read_text(encoding="utf-8"), module_name(path))
        if is_within(imported, SERVER)
    ]

    assert broken == []


def test_generated_code_imports_nothing_of_ours_but_itself():
    allowed = {"interlock.v1", "google", "grpc", "warnings", "__future__"}
    broken = [
        f"{relative(path)} imports {imported}"
        for path in sorted(GENERATED.glob("*.py"))
        for imported in imported_modules(path.read_text(encoding="utf-8"), module_name(path))
        if not is_within(imported, *allowed)
    ]

    assert broken == []


def test_a_running_server_has_loaded_nothing_of_the_sdk():
    modules = [
        module_name(path)
        for path in python_files(REPOSITORY / "server")
        if path.name != "__main__.py"
    ]
    program = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "print(*(name for name in sys.modules if name.startswith('interlock.')), sep='\\n')\n"
    )

    finished = subprocess.run(
        [sys.executable, "-c", program, *modules],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert finished.returncode == 0, finished.stderr
    loaded = [name for name in finished.stdout.split() if not is_within(name, "interlock.v1")]
    assert loaded == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("core.world", "import asyncio"),
        ("core.rules.job", "from time import monotonic"),
        ("core.rules.job", "from google.protobuf import timestamp_pb2"),
        ("core.model.job", "from interlock_server.core.world import World"),
        ("core.vocabulary.redwood", "from interlock_server.core.model import job"),
        ("core.command", "from interlock_server.core.rules.job import hold"),
        ("core.rules.job", "from cel_expr_python import cel"),
        ("core.expression", "from interlock_server.core.world import World"),
        ("core.apply", "from interlock_server.core.decide import decide"),
        ("core.calendar", "from dateutil.rrule import rrule"),
        ("core.rules.window", "from zoneinfo import ZoneInfo"),
        ("core.opening_hours", "from interlock_server.core.world import World"),
        ("core.decide", "from interlock_server.clock import Clock"),
        ("core.decide", "def late():\n  from interlock_server.engine import Engine"),
        ("storage.journal", "from interlock_server.watch.history import History"),
        ("storage.journal", "from ..watch import history"),
        ("watch.cursor", "import interlock_server.storage.journal"),
        ("engine", "from interlock_server.storage.journal import Journal"),
        ("engine", "from interlock_server import partition"),
        ("engine", "import grpc.aio"),
        ("timers", "from interlock_server.partition import Partition"),
        ("partition", "from interlock_server.rpc import server"),
        ("rpc.server", "import aiosqlite"),
        ("rpc.server", "from interlock_server.app import main"),
        ("rpc.convert", "from interlock.jobs import Job"),
        ("partition", "import uuid"),
        ("clock", "from interlock_server.core.world import World"),
    ],
)
def test_a_forbidden_import_is_found(module, source):
    assert broken_layers(source, f"{SERVER}.{module}")


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("core.rules.job", "from interlock_server.core.world import World\nimport msgspec"),
        ("core.turn", "from interlock_server.core import apply, fact"),
        ("core.recurrence_rule", "from dateutil.rrule import rrule"),
        ("core.expression", "from cel_expr_python import cel"),
        ("core.model.definition", "from interlock_server.core.expression import Compiled"),
        ("storage.recovery", "from interlock_server.core.apply import apply\nimport sqlite3"),
        ("engine", "import asyncio\nfrom interlock_server.clock import Clock"),
        ("partition", "from interlock_server.storage.journal import Journal"),
        ("rpc.convert", "import grpc\nfrom interlock.v1 import job_pb2"),
        ("app", "from interlock_server.rpc.server import serve"),
        ("rpc.server", "from interlock_server import __version__"),
        ("verify", "from interlock_server.storage.recovery import recover"),
    ],
)
def test_an_allowed_import_is_left_alone(module, source):
    assert broken_layers(source, f"{SERVER}.{module}") == []
