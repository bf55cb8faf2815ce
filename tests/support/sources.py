"""Where the sources of this repository are, and which modules they make.

Tests of the sources themselves (layers, tidiness, protos, generated code) read them through this.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[2]
GENERATED = REPOSITORY / "clients/interlock/v1"
PROTOS = REPOSITORY / "protos"
SOURCE_ROOTS = (REPOSITORY / "server", REPOSITORY / "clients")
#: Folders that tools make, and git with its own files.
NOT_OURS = frozenset({".git", "__pycache__", "node_modules", "build", "dist", "interlock-data"})


def is_ours(name: str) -> bool:
    """Whether a folder of this name holds files of the project."""
    made_by_tools = name.startswith((".venv", ".mypy_", ".ruff_", ".pytest_", ".hypothesis"))
    return name not in NOT_OURS and not made_by_tools


def files(folder: Path = REPOSITORY) -> Iterator[Path]:
    """Yield every file of the project below a folder, in a fixed order."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            continue
        if path.is_dir() and is_ours(path.name):
            yield from files(path)
        elif path.is_file():
            yield path


def python_files(folder: Path = REPOSITORY) -> Iterator[Path]:
    """Yield the Python files below a folder that people wrote."""
    for path in files(folder):
        if path.suffix == ".py" and not path.is_relative_to(GENERATED):
            yield path


def relative(path: Path) -> str:
    """Return the path as a reader of the repository would write it."""
    return path.relative_to(REPOSITORY).as_posix()


def module_name(path: Path) -> str:
    """Return the dotted name under which a file of server/ or clients/ is imported."""
    root = next(root for root in SOURCE_ROOTS if path.is_relative_to(root))
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
