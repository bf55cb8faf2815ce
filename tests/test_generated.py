"""The checked-in generated code is what the protos say, and runs on what we promise."""

from __future__ import annotations

import hashlib
import importlib
import os
import re
import subprocess
import tomllib

import pytest

from tests.support.sources import GENERATED, PROTOS, REPOSITORY, relative

MANIFEST = GENERATED / "SOURCES.sha256"
GENERATOR_PYTHON = REPOSITORY / ".venv-proto/bin/python"


def recorded_digests() -> dict[str, str]:
    """Return what the generator wrote down: the digest of each source and each output."""
    if not MANIFEST.exists():
        return {}
    lines = MANIFEST.read_text(encoding="utf-8").splitlines()
    return {path: digest for digest, path in (line.split("  ", 1) for line in lines)}


def actual_digests() -> dict[str, str]:
    paths = [
        *sorted((PROTOS / "interlock/v1").glob("*.proto")),
        *(path for path in sorted(GENERATED.glob("*")) if path.is_file() and path != MANIFEST),
    ]
    return {relative(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def floor_of(distribution: str) -> tuple[int, ...]:
    """Return the lowest version of a dependency that pyproject.toml promises to run on."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    floors = (re.match(rf"{distribution}>=([\d.]+)", line) for line in project["dependencies"])
    return next(version_of(found[1]) for found in floors if found)


def version_of(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split("."))


def test_generated_code_belongs_to_these_protos_and_was_not_edited():
    recorded, actual = recorded_digests(), actual_digests()

    stale = sorted(path for path in recorded | actual if recorded.get(path) != actual.get(path))

    assert stale == [], "run `make gen`"


def test_generating_again_gives_the_same_code():
    if not GENERATOR_PYTHON.exists():
        assert "CI" not in os.environ, "expected .venv-proto in CI; run `make setup-proto`"
        pytest.skip("no .venv-proto: run `make setup-proto` to compare with the generator, too")
    if not any((PROTOS / "interlock/v1").glob("*.proto")):
        return

    finished = subprocess.run(
        [GENERATOR_PYTHON, PROTOS / "generate.py", "--check"],
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
    )

    assert finished.returncode == 0, finished.stderr


def test_every_generated_module_loads():
    for path in sorted(GENERATED.glob("*_pb2*.py")):
        importlib.import_module(f"interlock.v1.{path.stem}")


def test_generated_code_runs_on_the_oldest_runtime_that_we_promise():
    grpc_floor, protobuf_floor = floor_of("grpcio"), floor_of("protobuf")

    for path in sorted(GENERATED.glob("*_pb2*.py")):
        source = path.read_text(encoding="utf-8")
        if found := re.search(r"GRPC_GENERATED_VERSION = '([\d.]+)'", source):
            assert version_of(found[1])[:2] <= grpc_floor[:2], path.name
        elif found := re.search(r"# Protobuf Python Version: ([\d.]+)", source):
            assert version_of(found[1]) <= protobuf_floor, path.name
