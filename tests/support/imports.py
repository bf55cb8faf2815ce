"""Reads which modules a piece of source imports, without running it.

Imports under TYPE_CHECKING and inside functions count: a layer is about who knows whom.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def imported_modules(source: str, module: str, *, is_package: bool = False) -> set[str]:
    """Return the dotted names of all modules that `source`, being `module`, imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.update(_imported_from(node, module, is_package=is_package))
    return names


def _imported_from(node: ast.ImportFrom, module: str, *, is_package: bool) -> Iterator[str]:
    target = node.module or ""
    if node.level:
        parts = module.split(".")
        kept = len(parts) - node.level + (1 if is_package else 0)
        target = ".".join([*parts[:kept], *([node.module] if node.module else [])])
    # Whether a name is a module or something in one makes no difference to who knows whom.
    for alias in node.names:
        yield f"{target}.{alias.name}"


def is_within(module: str, *packages: str) -> bool:
    """Whether a module is one of the packages or below one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)
