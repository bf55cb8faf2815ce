"""A PostgreSQL of our own: an empty database on a unix socket, gone with the block."""

from __future__ import annotations

import asyncio
import os
import pwd
import signal
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.load_process import ProcessEnded, clean_environment, kill_group
from benchmarks.peers.installed import program
from benchmarks.peers.protocol import NotInstalled
from benchmarks.peers.server_process import ServerProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

USER: Final = "bench"
DATABASE: Final = "postgres"
#: The rest is as PostgreSQL has it: fsync, synchronous_commit and full_page_writes are on.
_SETTINGS: Final = {"shared_buffers": "512MB", "listen_addresses": ""}
#: Whoever is root has to start it as one of these; the first that the machine knows.
_UNPRIVILEGED: Final = ("postgres", "nobody")


@asynccontextmanager
async def postgres_server(parent: Path) -> AsyncIterator[dict[str, str]]:
    """Run one below `parent`; yields what a client has to know: host, user, database."""
    initdb, postgres = program("initdb"), program("postgres")
    owner = _owner()
    # The path of a socket has to be short, so it is in a folder of its own.
    with (
        tempfile.TemporaryDirectory(prefix="postgres-", dir=parent) as name,
        tempfile.TemporaryDirectory(prefix="pg-") as sockets,
    ):
        data = Path(name) / "data"
        data.mkdir(mode=0o700)
        if owner is not None:
            for folder in (data, sockets):
                os.chown(folder, owner.pw_uid, owner.pw_gid)
        await _initialize(initdb, data, owner)
        settings = {**_SETTINGS, "unix_socket_directories": sockets}
        options = [word for key in settings for word in ("-c", f"{key}={settings[key]}")]
        async with ServerProcess(
            [str(postgres), "-D", str(data), *options],
            log=Path(name) / "log",
            ready=lambda: _is_ready(data),
            stop=signal.SIGINT,  # does not wait for clients
            setpriv=_setpriv(owner),
        ):
            yield {"host": sockets, "user": USER, "database": DATABASE}


def _is_ready(data: Path) -> bool:
    try:
        return "ready" in (data / "postmaster.pid").read_text(encoding="utf-8").split()
    except FileNotFoundError:
        return False


def _owner() -> pwd.struct_passwd | None:
    """Return whom the server has to run as, None for whoever asks: it refuses to be root."""
    if os.geteuid():
        return None
    program("setpriv")
    names = {each.pw_name: each for each in pwd.getpwall()}
    for name in _UNPRIVILEGED:
        if name in names:
            return names[name]
    raise NotInstalled(f"PostgreSQL refuses to be root, and there is no user {_UNPRIVILEGED[0]}")


def _setpriv(owner: pwd.struct_passwd | None) -> list[str]:
    """Return options of setpriv that make root the owner.

    What stays with it is that folders above its own, which may be root's alone, can be passed.
    """
    if owner is None:
        return []
    return [
        *(f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"),
        *("--inh-caps=+dac_override", "--ambient-caps=+dac_override"),
    ]


async def _initialize(initdb: Path, data: Path, owner: pwd.struct_passwd | None) -> None:
    process = await asyncio.create_subprocess_exec(
        *(["setpriv", *_setpriv(owner)] if owner else []),
        *(str(initdb), "--pgdata", str(data), "--username", USER, "--auth", "trust"),
        *("--encoding", "UTF8", "--locale", "C", "--no-sync"),  # it is empty: nothing to lose
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=clean_environment(),
        start_new_session=True,
    )
    try:
        words, _ = await process.communicate()
    except BaseException:
        kill_group(process.pid)
        raise
    if process.returncode:
        said = words.decode(errors="replace")[-1_500:]
        raise ProcessEnded(f"initdb ended with code {process.returncode}: {said}")
