"""What is installed of the peers: programs of the machine, and packages in `.venv-peers`.

The packages have an environment of their own, so that none of them decides what versions the
project runs on. Nothing here imports them.
"""

from __future__ import annotations

import os
import shutil
from importlib.metadata import distributions
from pathlib import Path
from typing import Final

from benchmarks.peers.protocol import NotInstalled

PEERS_VENV: Final = Path(__file__).parents[2] / ".venv-peers"
_REMEDY: Final = "`make bench-peers` installs it"
#: Where Debian has programs that are not on everybody's path.
_PROGRAM_FOLDERS: Final = ("/usr/sbin", "/usr/local/sbin")
_POSTGRES_FOLDERS: Final = "/usr/lib/postgresql"


def program(name: str) -> Path:
    """Return where a program is; the newest, of PostgreSQL. Raises NotInstalled."""
    releases = sorted(
        Path(_POSTGRES_FOLDERS).glob("*/bin"), key=lambda folder: float(folder.parent.name)
    )
    folders = (*map(str, reversed(releases)), os.environ.get("PATH", ""), *_PROGRAM_FOLDERS)
    found = shutil.which(name, path=os.pathsep.join(folders))
    if found is None:
        raise NotInstalled(f"the program {name} is not installed; {_REMEDY}")
    return Path(found)


def package_version(package: str, *, venv: Path = PEERS_VENV) -> str | None:
    """Return which version of a package the environment has, None for none."""
    folders = [str(folder) for folder in venv.glob("lib/python3*/site-packages")]
    for found in distributions(name=package, path=folders):
        return found.version
    return None


def interpreter(*packages: str, venv: Path = PEERS_VENV) -> Path:
    """Return the interpreter that can import these packages. Raises NotInstalled."""
    python = venv / "bin" / "python"
    missing = [name for name in packages if package_version(name, venv=venv) is None]
    if missing or not python.exists():
        names = ", ".join(missing) or "Python"
        raise NotInstalled(f"{venv.name} has no {names}; {_REMEDY}")
    return python
