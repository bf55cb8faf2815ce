"""Our own lint: rules of this project that no linter knows."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.sources import GENERATED, REPOSITORY, files, python_files, relative

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINES_MAX: Final = 600
CODE_SUFFIXES: Final = {".py", ".proto", ".sql", ".js", ".sh"}
#: Names that say nothing, and so collect everything.
EMPTY_NAMES: Final = {
    *("util", "utils", "helper", "helpers", "manager", "managers"),
    *("common", "misc", "base"),
}
MARKS: Final = re.compile(r"\b(?:TOD[O]|FIXM[E])\b")
#: The classes of one letter keep these patterns from finding themselves.
MACHINE_PATHS: Final = re.compile(r"(?<![\w.])/(?:wor[k]|roo[t])(?:/|\b(?!\.))|/home/[a-z]\w*/")
REGISTRIES: Final = re.compile(r"pypi[.]org|python[h]osted|registry[.]npmjs|deb[.]debian[.]org")
TEXT_BYTES_MAX: Final = 1_000_000


def written_files() -> Iterator[Path]:
    """Yield the files that people wrote: not generated code, not pinned versions."""
    for path in files():
        pinned = path.parent.name == "constraints" and path.suffix == ".txt"
        if not pinned and not path.is_relative_to(GENERATED) and path.name != "LICENSE":
            yield path


def read_text(path: Path) -> str:
    """Return the text of a file, and nothing for one that is not text or is very large."""
    if path.stat().st_size > TEXT_BYTES_MAX:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def find_lines(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{relative(path)}:{number}: {line.strip()[:120]}"
        for path in files()
        for number, line in enumerate(read_text(path).splitlines(), start=1)
        if pattern.search(line)
    ]


def sleeps(source: str) -> list[int]:
    """Return the lines that sleep. Sleeping for a literal 0 waits for nothing but its turn."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and is_sleep(node.func) and not is_zero(node.args)
    ]


def is_sleep(function: ast.expr) -> bool:
    match function:
        case ast.Attribute(value=ast.Name(id="time" | "asyncio" | "anyio"), attr="sleep"):
            return True
        case ast.Name(id="sleep"):
            return True
    return False


def is_zero(arguments: list[ast.expr]) -> bool:
    match arguments:
        case [ast.Constant(value=0)]:
            return True
    return False


def assignments_to_attributes(source: str) -> list[int]:
    """Return the lines that set, change or delete an attribute, or an item of one."""
    lines: list[int] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Assign(targets=targets) | ast.Delete(targets=targets):
                pass
            case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
                targets = [target]
            case ast.Call(func=ast.Name(id="setattr" | "delattr")):
                lines.append(node.lineno)
                continue
            case _:
                continue
        lines += [target.lineno for target in targets if reaches_an_attribute(target)]
    return lines


def reaches_an_attribute(target: ast.expr) -> bool:
    match target:
        case ast.Attribute():
            return True
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return any(reaches_an_attribute(part) for part in parts)
        case ast.Subscript(value=value) | ast.Starred(value=value):
            return reaches_an_attribute(value)
    return False


def test_no_file_is_longer_than_one_responsibility():
    too_long = [
        f"{relative(path)}: {count} lines, expected at most {LINES_MAX}; split it by noun"
        for path in written_files()
        if path.suffix in CODE_SUFFIXES and (count := len(read_text(path).splitlines())) > LINES_MAX
    ]

    assert too_long == []


def test_every_file_is_named_for_what_it_holds():
    code = [path for path in written_files() if path.suffix in CODE_SUFFIXES]
    empty = [
        relative(path)
        for path in code
        for part in path.relative_to(REPOSITORY).with_suffix("").parts
        if EMPTY_NAMES & set(part.lower().split("_"))
    ]

    assert empty == []


def test_no_test_sleeps():
    found = [
        f"{relative(path)}:{line}"
        for path in python_files(REPOSITORY / "tests")
        for line in sleeps(read_text(path))
    ]

    assert found == []


def test_no_rule_assigns_to_an_attribute():
    found = [
        f"{relative(path)}:{line}: rules return events, only apply assigns"
        for path in python_files(REPOSITORY / "server/interlock_server/core/rules")
        for line in assignments_to_attributes(read_text(path))
    ]

    assert found == []


def test_nothing_is_left_to_be_done_in_a_comment():
    assert find_lines(MARKS) == []


def test_nothing_names_a_path_of_one_machine():
    assert find_lines(MACHINE_PATHS) == []


def test_nothing_names_the_host_of_a_package_registry():
    assert find_lines(REGISTRIES) == []


@pytest.mark.parametrize(
    "source",
    ["import time\ntime.sleep(1)", "await asyncio.sleep(0.1)", "sleep(seconds)"],
)
def test_a_sleep_is_found(source):
    assert sleeps(f"async def main():\n  {source.replace(chr(10), chr(10) + '  ')}")


@pytest.mark.parametrize(
    "source",
    [
        "job.status = status",
        "job.tries += 1",
        "a, job.status = 1, 2",
        "job.status: int = 1",
        "world.jobs[job_id] = job",
        "del world.jobs[job_id]",
        "setattr(job, 'status', 1)",
    ],
)
def test_an_assignment_to_an_attribute_is_found(source):
    assert assignments_to_attributes(source)


@pytest.mark.parametrize("source", ["events = []", "found[job.id] = job", "a, b = job.pair"])
def test_an_assignment_to_a_local_name_is_left_alone(source):
    assert assignments_to_attributes(source) == []


@pytest.mark.parametrize("path", ["/wor{}/main", "cd /roo{}", "'/home/{}ob/x'"])
def test_a_machine_path_is_found(path):
    letter = {"/w": "k", "cd": "t", "'/": "b"}[path[:2]]

    assert MACHINE_PATHS.search(path.format(letter))
