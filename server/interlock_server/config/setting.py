"""The table of settings: what each is called, how its text is read, and what it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from interlock_server.config import value

if TYPE_CHECKING:
    from collections.abc import Callable


class Setting(NamedTuple):
    """One setting: the field of Config, how it is called elsewhere, and how its text is read."""

    field: str
    name: str
    read: Callable[[str], Any]
    about: str

    @property
    def env(self) -> str:
        """Name of its environment variable."""
        return f"INTERLOCK_{self.name.upper()}"

    @property
    def flag(self) -> str:
        """Name of its flag."""
        return f"--{self.name.replace('_', '-')}"

    def written(self, given: object) -> str:
        """A value as somebody would write it; "" for none."""
        if isinstance(given, bool):
            return "on" if given else ""
        if isinstance(given, tuple):
            return " ".join(map(str, given))
        if given == 0:
            return "off"
        for unit in ("hours", "min", "s"):
            if self.field.endswith(f"_{unit}"):
                return f"{given:g}{unit[0]}"
        if self.field.endswith("_bytes") and isinstance(given, int):
            return _size(given)
        return str(given)


def _size(count: int) -> str:
    for size, suffix in ((value.GIB, "GiB"), (value.MIB, "MiB")):
        if count and not count % size:
            return f"{count // size}{suffix}"
    return str(count)


_LEVELS: Final = ("debug", "info", "warning", "error")

SETTINGS: Final = (
    Setting(
        "listen",
        "listen",
        value.addresses,
        "address to serve on: HOST:PORT or unix:PATH; may be repeated",
    ),
    Setting(
        "port_file", "port_file", value.text, "file to write the bound addresses to when ready"
    ),
    Setting("data_dir", "data_dir", value.text, "folder for everything that is kept"),
    Setting("insecure", "insecure", value.flag, "serve other machines without encryption"),
    Setting(
        "reflection",
        "reflection",
        value.one_of("auto", "on", "off"),
        "describe the API to clients: auto (only on this machine), on, off",
    ),
    Setting(
        "durability",
        "durability",
        value.one_of("full", "normal", "off"),
        "full: an answered change survives a power cut; normal: a crash; off: nothing",
    ),
    Setting(
        "log_level",
        "log_level",
        value.one_of(*_LEVELS),
        "lowest level that is logged: debug, info, warning, error",
    ),
    Setting("log_format", "log_format", value.one_of("json", "console"), "json or console"),
    Setting(
        "loop",
        "loop",
        value.one_of("auto", "asyncio", "uvloop"),
        "event loop: auto (uvloop if installed), asyncio, uvloop",
    ),
    Setting("heartbeat_s", "heartbeat", value.parse_seconds, "longest silence of a healthy robot"),
    Setting(
        "missed_heartbeats",
        "missed_heartbeats",
        value.count,
        "heartbeats without a word after which a robot is unresponsive",
    ),
    Setting(
        "session_ttl_s",
        "session_ttl",
        value.parse_seconds,
        "silence after which a robot's session is given up",
    ),
    Setting(
        "uncertain_timeout_s",
        "uncertain_timeout",
        value.parse_seconds,
        "how long a Redwood job may stay Uncertain",
    ),
    Setting(
        "restart_default",
        "restart_default",
        value.pairs(
            ("Completed", "Error", "Killed", "Canceled", "Unknown"),
            (
                *("continue", "stop", "request_restart"),
                *("restart", "restart_from_error", "restart_no_resubmit"),
            ),
        ),
        "what follows an end where nothing else says: Error=restart Killed=stop; default: continue",
    ),
    Setting(
        "terminating_timeout_min",
        "terminating_timeout",
        value.in_units(60),
        "how long a UiPath job may stay Terminating",
    ),
    Setting(
        "terminating_period_min",
        "terminating_period",
        value.in_units(60),
        "how often jobs that terminate for too long are looked for",
    ),
    Setting(
        "watch_hours",
        "watch_retention",
        value.in_units(3600),
        "how long changes are kept for watches",
    ),
    Setting(
        "watch_bytes",
        "watch_retention_bytes",
        value.size,
        "how many bytes of changes are kept for watches",
    ),
    Setting(
        "answers_hours",
        "answers_retention",
        value.in_units(3600),
        "how long answers to request ids are kept",
    ),
    Setting("answers_max", "answers_max", value.count, "how many answers to request ids are kept"),
    Setting(
        "inbox_max", "inbox_max", value.count, "commands that may wait before more are refused"
    ),
    Setting(
        "snapshot_every_bytes",
        "snapshot_every_bytes",
        value.size,
        "bytes of journal after which a snapshot is made",
    ),
    Setting(
        "snapshot_every_commits",
        "snapshot_every_commits",
        value.count,
        "commits after which a snapshot is made",
    ),
    Setting(
        "snapshot_every_changes",
        "snapshot_every_changes",
        value.count,
        "changes after which a snapshot is made; a commit counts for 40",
    ),
    Setting("max_watches", "max_watches", value.count, "watches that may be open"),
    Setting(
        "grace_s",
        "grace",
        value.parse_seconds,
        "how long open calls may go on when the server stops",
    ),
    Setting(
        "min_free_bytes",
        "min_free_bytes",
        value.size,
        "free space on the disk below which changes are refused",
    ),
    Setting(
        "retention_min",
        "retention_period",
        value.in_units(60),
        "how often final jobs that keep rules give up are deleted",
    ),
    Setting(
        "keep_count",
        "keep_count",
        value.or_off(value.count),
        "newest final jobs of a definition without a keep rule that stay, or off",
    ),
    Setting(
        "keep_age_hours",
        "keep_age",
        value.or_off(value.in_units(3600)),
        "how long final jobs of a definition without a keep rule stay, or off",
    ),
    Setting("media_max_bytes", "media_max_bytes", value.size, "largest recording that is kept"),
    Setting(
        "media_total_bytes",
        "media_total_bytes",
        value.size,
        "bytes of recordings that a partition keeps",
    ),
)
