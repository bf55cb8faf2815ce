"""`make bench-peers`: install what is missing of the peers, as far as this machine can.

It is run by the interpreter of `.venv-peers`, which gets the packages. Nothing is started, and what
cannot be installed is no error: the table at the end says which peers are ready, and why others
are not.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from benchmarks.peer import PEERS
from benchmarks.peers.installed import package_version, program
from benchmarks.peers.measured_peer import MeasuredPeer
from benchmarks.peers.protocol import NotInstalled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

REPOSITORY: Final = Path(__file__).parents[2]
PINNED: Final = REPOSITORY / "constraints" / "peers.txt"
#: Debian's packages that have a program; the first that can be installed will do.
DEBIAN: Final[Mapping[str, tuple[str, ...]]] = {
    "postgres": ("postgresql-15", "postgresql"),
    "redis-server": ("redis-server",),
    "etcd": ("etcd-server",),
}
#: Whoever is asked by it whether a service may be started answers: no.
_POLICY: Final = Path("/usr/sbin/policy-rc.d")
_NEVER_START: Final = "#!/bin/sh\nexit 101\n"
_SECONDS_MAX: Final = 900


class Line(NamedTuple):
    """A peer in the table."""

    peer: str
    version: str
    state: str


def _run(*command: str) -> str:
    """Run a command; returns the end of what it said if it failed, else nothing."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS_MAX,
            check=False,
            cwd=REPOSITORY,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return (lines[-1] if lines else f"exit code {done.returncode}") if done.returncode else ""


# -- programs -------------------------------------------------------------------------------------


def is_missing(name: str) -> bool:
    """Return whether a program is not there."""
    try:
        program(name)
    except NotInstalled:
        return True
    return False


def install_programs() -> Iterator[str]:
    """Install the servers that are missing, each by itself; yields sentences about it."""
    missing = [name for name in DEBIAN if is_missing(name)]
    if not missing:
        return
    wanted = " ".join(DEBIAN[name][0] for name in missing)
    if shutil.which("apt-get") is None:
        yield f"not installed: {wanted}: there is no apt-get"
        return
    if os.geteuid():
        yield f"not installed: {wanted}: only root can: apt-get install {wanted}"
        return
    _run("apt-get", "update", "-qq")
    with services_not_started():
        for name in missing:
            yield _install_one_of(DEBIAN[name])


def _install_one_of(packages: Sequence[str]) -> str:
    why = ""
    for package in packages:
        why = _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", package)
        if not why:
            return f"installed: {package}"
    return f"not installed: {packages[0]}: {why}"


@contextmanager
def services_not_started() -> Iterator[None]:
    """Keep Debian from starting what is installed meanwhile; a rule of the machine's own stays."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text(_NEVER_START, encoding="utf-8")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink(missing_ok=True)


# -- packages -------------------------------------------------------------------------------------


def install_packages(pinned: Path = PINNED) -> Iterator[str]:
    """Install the pinned packages; one by one if not all can be. Yields sentences about it."""
    why = _pip(pinned)
    if not why:
        return
    yield f"not all packages can be installed: {why}; trying them one by one"
    with tempfile.TemporaryDirectory() as folder:
        for block in blocks(pinned.read_text(encoding="utf-8")):
            one = Path(folder) / "one.txt"
            one.write_text(block, encoding="utf-8")
            if why := _pip(one, "--no-deps"):
                yield f"not installed: {block.split()[0]}: {why}"


def _pip(requirements: Path, *options: str) -> str:
    return _run(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--only-binary", ":all:", "--require-hashes", *options, "-r", str(requirements)),
    )


def blocks(pinned: str) -> list[str]:
    """Return each requirement of a pinned file with its hashes."""
    return [f"{block}\n" for block in re.split(r"(?<!\\)\n", pinned) if block.strip()]


# -- what is there --------------------------------------------------------------------------------


def look(name: str) -> Line:
    """Return the line of a peer."""
    made = PEERS[name](Path())
    assert isinstance(made, MeasuredPeer), "all of the registry are"
    try:
        made.check()
    except NotInstalled as missing:
        return Line(name, "", f"skipped: {missing}")
    why = _run(sys.executable, "-c", f"import {made.load}")
    return Line(name, ", ".join(_versions(made)), f"skipped: {why}" if why else "ready")


def _versions(made: MeasuredPeer) -> Iterator[str]:
    for name in made.programs[-1:]:
        yield f"{name} {_version_of(program(name))}"
    for package in made.packages:
        yield f"{package} {package_version(package)}"


def _version_of(path: Path) -> str:
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+(?:\.\d+)?", done.stdout)
    return found.group() if found else "of an unknown version"


def table(lines: Sequence[Line]) -> Iterator[str]:
    """Yield the table for people."""
    rows = [Line("peer", "version", "state"), *lines]
    peer, version = (max(len(row[column]) for row in rows) for column in (0, 1))
    yield from (f"{row.peer:<{peer}}  {row.version:<{version}}  {row.state}" for row in rows)


def main() -> int:
    """Install, look and print; never fails because a peer is absent."""
    for sentence in (*install_programs(), *install_packages()):
        print(sentence, flush=True)
    print(*table([look(name) for name in PEERS]), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
