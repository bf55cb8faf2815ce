"""How the text of a setting is read: lengths of time, sizes, counts, addresses.

Every reader raises ValueError with a sentence that says what was expected.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

MIB: Final = 1 << 20
GIB: Final = 1 << 30

_UNITS_S: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])")
_SIZES: Final[dict[str, int]] = {"": 1, "b": 1, "kib": 1 << 10, "mib": MIB, "gib": GIB}
_YES: Final = {"true": True, "on": True, "yes": True, "1": True}
_NO: Final = {"false": False, "off": False, "no": False, "0": False}


def text(text: str) -> str:
    """A text that says something."""
    if not text.strip():
        raise ValueError("expected a text, but it is empty")
    return text.strip()


def flag(text: str) -> bool:
    """True or false."""
    found = {**_YES, **_NO}.get(text.strip().lower())
    if found is None:
        raise ValueError(f"expected true or false, but got {text!r}")
    return found


def one_of(*choices: str) -> Callable[[str], str]:
    """One of some words, in any case."""

    def read(text: str) -> str:
        if text.strip().lower() not in choices:
            raise ValueError(f"expected {', '.join(choices)}, but got {text!r}")
        return text.strip().lower()

    return read


def pairs(names: Collection[str], choices: Collection[str]) -> Callable[[str], tuple[str, ...]]:
    """One of some words for each of some names, as `NAME=WORD` between spaces."""

    def read(text: str) -> tuple[str, ...]:
        found = tuple(text.split())
        for part in found:
            name, _, word = part.partition("=")
            if name not in names or word not in choices:
                raise ValueError(
                    f"expected NAME=WORD with a name of {', '.join(names)} and a word of "
                    f"{', '.join(choices)}, but got {part!r}"
                )
        if len({part.partition("=")[0] for part in found}) < len(found):
            raise ValueError(f"expected each name once, but got {text!r}")
        return found

    return read


def count(text: str) -> int:
    """A whole number of at least 1."""
    if not re.fullmatch(r"\d{1,15}", text.strip().replace("_", "")) or not int(text):
        raise ValueError(f"expected a whole number of at least 1, but got {text!r}")
    return int(text)


def size(text: str) -> int:
    """Bytes, with or without a unit."""
    found = re.fullmatch(r"(\d{1,15})\s*([KMG]iB|B|)", text.strip(), re.IGNORECASE)
    if found is None:
        raise ValueError(f"expected a size such as 4GiB, 256MiB or 1000000, but got {text!r}")
    return int(found[1]) * _SIZES[found[2].lower()]


def parse_seconds(text: str) -> float:
    """Seconds of a text such as `30`, `30s`, `5m`, `1h30m`; ValueError with what was expected."""
    cleaned = text.strip().replace(" ", "")
    parts = _PART.findall(cleaned)
    if re.fullmatch(r"\d+(\.\d+)?", cleaned):
        seconds = float(cleaned)
    elif parts and "".join(number + unit for number, unit in parts) == cleaned:
        seconds = sum(float(number) * _UNITS_S[unit] for number, unit in parts)
    else:
        raise ValueError(f"expected a length of time such as 30s, 5m or 24h, but got {text!r}")
    if not seconds:
        raise ValueError(f"expected more than 0 seconds, but got {text!r}")
    return seconds


def in_units(unit_s: int) -> Callable[[str], float]:
    """A length of time, in units of so many seconds."""
    return lambda text: parse_seconds(text) / unit_s


def or_off(read: Callable[[str], float]) -> Callable[[str], float]:
    """What `read` reads, or 0 for `off`."""
    return lambda text: 0 if text.strip().lower() in {"off", "0"} else read(text)


def addresses(text: str) -> tuple[str, ...]:
    """Addresses to serve on, separated by commas."""
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    if not found:
        raise ValueError("expected an address such as 127.0.0.1:7350, but it is empty")
    for address in found:
        _check_address(address)
    return found


def _check_address(address: str) -> None:
    if address.startswith(("unix:", "unix-abstract:")):
        if not address.partition(":")[2]:
            raise ValueError(f"expected a path after {address!r}, such as unix:/run/interlock.sock")
        return
    host, colon, port = address.rpartition(":")
    if not (host and colon and re.fullmatch(r"\d{1,5}", port) and int(port) <= 65_535):  # noqa: PLR2004
        raise ValueError(
            f"expected HOST:PORT with a port of 0 to 65535, or unix:PATH, but got {address!r}"
        )


def is_local(address: str) -> bool:
    """Whether only programs of this machine can reach the address."""
    host = address.rpartition(":")[0].strip("[]")
    return address.startswith("unix") or host in {"localhost", "::1"} or host.startswith("127.")
