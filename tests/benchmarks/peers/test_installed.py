from __future__ import annotations

import pytest

from benchmarks.peers.installed import interpreter, package_version, program
from benchmarks.peers.protocol import NotInstalled


def environment(folder, *packages):
    """Make what a virtual environment with these packages looks like."""
    site = folder / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "bin" / "python").touch()
    for name in packages:
        info = site / f"{name}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    return folder


def test_a_program_is_found():
    assert program("sh").name == "sh"


def test_a_missing_program_is_named_with_the_remedy():
    with pytest.raises(NotInstalled, match="no-such-program is not installed; `make bench-peers`"):
        program("no-such-program")


def test_the_version_of_a_package_is_read_without_importing_it(tmp_path):
    venv = environment(tmp_path / "venv", "asyncpg")

    assert package_version("asyncpg", venv=venv) == "1.2"
    assert package_version("redis", venv=venv) is None


def test_the_interpreter_is_the_environment_that_has_the_packages(tmp_path):
    venv = environment(tmp_path / "venv", "asyncpg", "redis")

    assert interpreter("asyncpg", "redis", venv=venv) == venv / "bin" / "python"


def test_every_missing_package_is_named(tmp_path):
    venv = environment(tmp_path / "venv", "asyncpg")

    with pytest.raises(NotInstalled, match="venv has no redis, dbos; `make bench-peers`"):
        interpreter("asyncpg", "redis", "dbos", venv=venv)


def test_without_an_environment_it_is_not_installed(tmp_path):
    with pytest.raises(NotInstalled, match="venv has no Python"):
        interpreter(venv=tmp_path / "venv")
