"""Every setting of the server, once. Nobody else reads the environment.

A value comes from its flag, else from INTERLOCK_*, else from the table [server] of a TOML file,
else from its default; `load` also says which of them it was.
"""

from __future__ import annotations

import argparse
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, NoReturn

from interlock_server import __version__
from interlock_server.config.setting import SETTINGS
from interlock_server.config.value import GIB, MIB, is_local

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from interlock_server.config.setting import Setting

TABLE: Final = "server"

Loop = Literal["auto", "asyncio", "uvloop"]
Durability = Literal["full", "normal", "off"]
LogFormat = Literal["json", "console"]
Reflection = Literal["auto", "on", "off"]


class ConfigError(Exception):
    """A setting is wrong; the sentence says which, what was expected, and where it was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All settings, checked. Times and sizes have their unit in the name."""

    listen: tuple[str, ...] = ("127.0.0.1:7350",)
    port_file: str = ""
    data_dir: str = "interlock-data"
    insecure: bool = False
    reflection: Reflection = "auto"
    durability: Durability = "full"
    log_level: str = "info"
    log_format: LogFormat = "console"
    loop: Loop = "auto"
    heartbeat_s: float = 30.0
    #: A robot is unresponsive after so many heartbeats without a word.
    missed_heartbeats: int = 4
    session_ttl_s: float = 300.0
    uncertain_timeout_s: float = 600.0
    #: What follows a final status where neither definition nor partition say: "Error=restart".
    restart_default: tuple[str, ...] = ()
    terminating_timeout_min: float = 1440.0
    terminating_period_min: float = 180.0
    watch_hours: float = 24.0
    watch_bytes: int = 4 * GIB
    answers_hours: float = 24.0
    answers_max: int = 1_000_000
    #: Commands that may wait for the engine.
    inbox_max: int = 20_000
    snapshot_every_bytes: int = 256 * MIB
    snapshot_every_commits: int = 100_000
    snapshot_every_changes: int = 6_000_000
    max_watches: int = 20_000
    #: How long open calls may go on after the server was told to stop.
    grace_s: float = 10.0
    min_free_bytes: int = 64 * MIB
    retention_min: float = 15.0
    #: Of final jobs whose definition has no keep rule; 0 for no such limit.
    keep_count: int = 0
    keep_age_hours: float = 0.0
    media_max_bytes: int = 256 * MIB
    media_total_bytes: int = 20 * GIB

    @property
    def reflects(self) -> bool:
        """Whether the server describes its API to anyone who asks."""
        if self.reflection == "auto":
            return all(is_local(address) for address in self.listen)
        return self.reflection == "on"


class Loaded(NamedTuple):
    """The settings, and where each comes from: flag, env NAME, file PATH or default."""

    config: Config
    origins: dict[str, str]


assert {setting.field for setting in SETTINGS} == {each.name for each in fields(Config)}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}; see --help")


def _parser() -> _Parser:
    parser = _Parser(
        prog="interlock serve",
        description="Run the Interlock server.",
        epilog="Every option can be given as INTERLOCK_NAME, or in the table [server] of the file.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"interlock {__version__}")
    parser.add_argument("--config", metavar="FILE", help="TOML file with settings")
    defaults = Config()
    for setting in SETTINGS:
        default = setting.written(getattr(defaults, setting.field))
        told = f"default: {default}; " if default else ""
        about = f"{setting.about} ({told}{setting.env})".replace("%", "%%")
        if isinstance(getattr(defaults, setting.field), bool):
            parser.add_argument(
                setting.flag, dest=setting.field, action="store_const", const="true", help=about
            )
            continue
        action = "append" if setting.field == "listen" else "store"
        parser.add_argument(
            setting.flag, dest=setting.field, action=action, metavar="VALUE", help=about
        )
    parser.add_argument("--no-reflection", dest="reflection", action="store_const", const="off")
    return parser


def load(argv: Sequence[str], env: Mapping[str, str]) -> Loaded:
    """Read all settings; ConfigError says what is wrong with one.

    `--help` and `--version` print and raise SystemExit.
    """
    flags = {k: v for k, v in vars(_parser().parse_args(argv)).items() if v is not None}
    file = _find_file(flags.pop("config", None), env)
    table = _read_table(file) if file else {}
    values: dict[str, Any] = {"data_dir": str(_state_home(env) / "interlock")}
    origins: dict[str, str] = {}
    for setting in SETTINGS:
        text, origin = _given(setting, flags, env, table, file)
        origins[setting.field] = origin
        if text is None:
            continue
        try:
            values[setting.field] = setting.read(text)
        except ValueError as error:
            raise ConfigError(f"{_place(setting, origin)}: {error}.") from None
    config = Config(**values)
    _check(config)
    return Loaded(config, origins)


def _given(
    setting: Setting,
    flags: Mapping[str, Any],
    env: Mapping[str, str],
    table: Mapping[str, Any],
    file: Path | None,
) -> tuple[str | None, str]:
    """The text of a setting and where it is from; None where nobody said anything."""
    if setting.field in flags:
        return _joined(flags[setting.field]), "flag"
    if env.get(setting.env):
        return env[setting.env], f"env {setting.env}"
    if setting.name in table:
        return _joined(table[setting.name]), f"file {file}"
    return None, "default"


def _joined(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _place(setting: Setting, origin: str) -> str:
    return setting.flag if origin == "flag" else f"{setting.name} ({origin})"


def _state_home(env: Mapping[str, str]) -> Path:
    home = Path(env.get("HOME") or "~").expanduser()
    return Path(env.get("XDG_STATE_HOME") or home / ".local" / "state")


def _find_file(named: str | None, env: Mapping[str, str]) -> Path | None:
    wanted = named or env.get("INTERLOCK_CONFIG")
    if wanted:
        return Path(wanted)
    home = Path(env.get("HOME") or "~").expanduser()
    places = (
        Path(env.get("XDG_CONFIG_HOME") or home / ".config") / "interlock" / "config.toml",
        Path("/etc/interlock/config.toml"),
    )
    for place in places:
        try:
            if place.is_file():
                return place
        except OSError:
            continue  # a folder that may not be looked into holds no configuration for us
    return None


def _read_table(file: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"expected a configuration file at {file}, but it cannot be read: {error.strerror}."
        ) from None
    except ValueError as error:
        raise ConfigError(f"expected TOML in {file}, but {error}.") from None
    table = document.get(TABLE, {})
    if not isinstance(table, dict):
        raise ConfigError(f"expected [{TABLE}] to be a table in {file}.")
    known = sorted(setting.name for setting in SETTINGS)
    if unknown := sorted(set(table) - set(known)):
        raise ConfigError(
            f"expected only {', '.join(known)} in [{TABLE}] of {file}, "
            f"but found {', '.join(unknown)}."
        )
    return table


def _check(config: Config) -> None:
    """Refuse settings that are wrong together."""
    foreign = [address for address in config.listen if not is_local(address)]
    if foreign and not config.insecure:
        raise ConfigError(
            f"expected an address of this machine, because nothing is encrypted, but {foreign[0]} "
            f"can be reached from others. Listen on 127.0.0.1, or add --insecure if the network "
            f"is trusted."
        )
    silence_s = config.heartbeat_s * config.missed_heartbeats
    if config.session_ttl_s < silence_s:
        raise ConfigError(
            f"expected --session-ttl of at least {silence_s:g}s, because a robot is unresponsive "
            f"after {config.missed_heartbeats} heartbeats of {config.heartbeat_s:g}s, "
            f"but it is {config.session_ttl_s:g}s."
        )
