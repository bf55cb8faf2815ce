"""Where the values of the command line's settings come from: flag, environment, file, default.

The file is TOML and may hold the server's settings too; this program reads its table `[client]`.
Nothing here is secret, so `interlock config show` can print all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from interlock.cli.instant import parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TABLE: Final = "client"
OUTPUTS: Final = ("table", "json", "jsonl")
COLOURS: Final = ("auto", "always", "never")


class Setting(NamedTuple):
    """One setting and how it is given."""

    name: str
    env: str
    default: str
    #: Checks a text and returns the value; raises ValueError with what was expected.
    read: Callable[[str], Any]
    about: str


class Value(NamedTuple):
    """What a setting is, and who said so."""

    value: Any
    origin: str


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError("expected a text, but it is empty")
    return text.strip()


def _one_of(choices: tuple[str, ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"expected {', '.join(choices)}, but got {text!r}")
        return text

    return read


def _seconds(text: str) -> float:
    seconds = parse_duration(text).total_seconds()
    if seconds <= 0:
        raise ValueError(f"expected more than 0 seconds, but got {text!r}")
    return seconds


def _user_name(environ: Mapping[str, str]) -> str:
    for name in ("LOGNAME", "USER", "USERNAME"):
        if found := environ.get(name):
            return found[:128]
    return ""


SETTINGS: Final = (
    Setting("address", "INTERLOCK_ADDRESS", "localhost:7350", _text, "server: host:port or unix:"),
    Setting("partition", "INTERLOCK_PARTITION", "default", _text, "partition to work in"),
    Setting("user", "INTERLOCK_USER", "", str.strip, "who you are in the history of jobs"),
    Setting("timeout", "INTERLOCK_TIMEOUT", "10s", _seconds, "longest wait for an answer"),
    Setting("output", "INTERLOCK_OUTPUT", "table", _one_of(OUTPUTS), "table, json or jsonl"),
    Setting("color", "INTERLOCK_COLOR", "auto", _one_of(COLOURS), "auto, always or never"),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its origin."""

    values: Mapping[str, Value]
    #: The configuration file that was read; None if there is none.
    file: Path | None

    def __getitem__(self, name: str) -> Any:
        """Return the value of a setting."""
        return self.values[name].value


def load(flags: Mapping[str, str], environ: Mapping[str, str]) -> Settings:
    """Return all settings; a value that is wrong raises a usage error that names its origin."""
    file, said_by = _find_file(flags, environ)
    table = _read_table(file, said_by) if file else {}
    values = {each.name: _resolve(each, flags, environ, table, file) for each in SETTINGS}
    if environ.get("NO_COLOR") and values["color"].origin in {"default", f"file {file}"}:
        values["color"] = Value("never", "env NO_COLOR")
    if not values["user"].value:
        values["user"] = Value(_user_name(environ), "default (login name)")
    return Settings(values, file)


def _resolve(
    setting: Setting,
    flags: Mapping[str, str],
    environ: Mapping[str, str],
    table: Mapping[str, Any],
    file: Path | None,
) -> Value:
    if setting.name in flags:
        text, origin = flags[setting.name], "flag"
    elif environ.get(setting.env):
        text, origin = environ[setting.env], f"env {setting.env}"
    elif setting.name in table:
        text, origin = str(table[setting.name]), f"file {file}"
    else:
        text, origin = setting.default, "default"
    try:
        return Value(setting.read(text), origin)
    except ValueError as error:
        told = f"--{setting.name}" if origin == "flag" else f"{setting.name} ({origin})"
        raise click.UsageError(f"{told}: {error}.") from None


def default_files(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return where a configuration file is looked for, first one first."""
    home = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME") or "~") / ".config")
    return (
        Path(home).expanduser() / "interlock" / "config.toml",
        Path("/etc/interlock/config.toml"),
    )


def _find_file(flags: Mapping[str, str], environ: Mapping[str, str]) -> tuple[Path | None, str]:
    if "config" in flags:
        return Path(flags["config"]), "--config"
    if environ.get("INTERLOCK_CONFIG"):
        return Path(environ["INTERLOCK_CONFIG"]), "env INTERLOCK_CONFIG"
    for path in default_files(environ):
        try:
            if path.is_file():
                return path, "its place"
        except OSError:
            continue  # a folder that this user may not look into holds no configuration for them
    return None, ""


def _read_table(file: Path, said_by: str) -> dict[str, Any]:
    import tomllib

    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise click.UsageError(
            f"expected a configuration file at {file} (from {said_by}), "
            f"but it cannot be read: {error.strerror}."
        ) from None
    except ValueError as error:
        raise click.UsageError(f"expected TOML in {file}, but {error}.") from None
    table = document.get(TABLE, {})
    if not isinstance(table, dict):
        raise click.UsageError(f"expected [{TABLE}] to be a table in {file}.")
    known = [setting.name for setting in SETTINGS]
    if unknown := sorted(set(table) - set(known)):
        raise click.UsageError(
            f"expected {', '.join(known)} in [{TABLE}] of {file}, but found {', '.join(unknown)}."
        )
    return table
