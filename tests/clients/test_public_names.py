"""The public names: all there, loaded late, and promised only once."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import interlock

SOURCE = Path(interlock.__file__).read_text(encoding="utf-8")


def test_every_public_name_is_there():
    assert {name: getattr(interlock, name).__name__ for name in interlock.__all__} == {
        name: name for name in interlock.__all__
    }


def test_checkers_of_types_know_the_same_names():
    imported = {
        (node.module, alias.asname)
        for node in ast.walk(ast.parse(SOURCE))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("interlock.")
        for alias in node.names
    }

    assert imported == {
        (f"interlock.{module}", name) for name, module in interlock._MODULE_OF.items()
    }


def test_a_name_that_does_not_exist_is_an_attribute_error():
    assert not hasattr(interlock, "Conect")
    assert "connect" in dir(interlock)


def test_the_messages_are_loaded_without_the_rest():
    program = (
        "import sys, interlock.v1.job_pb2; print(*(m for m in sys.modules if 'interlock' in m))"
    )

    finished = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    )

    loaded = set(finished.stdout.split()) - {"interlock"}
    assert all(module.startswith("interlock.v1") for module in loaded)
