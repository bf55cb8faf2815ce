"""What values on the command line may look like, and what is said when they do not."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.shell_completion import CompletionItem

from interlock.cli.instant import parse_duration, parse_instant
from interlock.cli.status_text import all_statuses, status_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

#: Ids are unsigned 64-bit numbers on the wire; the server keeps them below this.
_ID_MAX: Final = 2**63 - 1
_SHOWN_BY: Final = {"job": "`interlock list`", "message": "`interlock messages`"}


class TextType(click.ParamType):  # type: ignore[type-arg]  # generic only in newer versions
    """A value that is read from a text by a function that says what it expected."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return what the text says."""
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except (ValueError, OverflowError) as error:
            self.fail(f"{str(error).rstrip('.')}.", param, ctx)


class StatusType(TextType):
    """One status by the vendor's spelling, in either lifecycle or in one of them."""

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        param: click.Parameter,  # noqa: ARG002 - click's signature
        incomplete: str,
    ) -> list[CompletionItem]:
        """Offer the spellings."""
        start = incomplete.lower()
        return [CompletionItem(each) for each in all_statuses() if each.lower().startswith(start)]


def read_id(text: str, noun: str) -> int:
    """Return the id that a text says."""
    digits = text.strip().removeprefix("#")
    if digits.isascii() and digits.isdecimal() and 0 < int(digits[:20]) <= _ID_MAX:
        return int(digits)
    raise ValueError(
        f"expected the id of a {noun}, a number from 1 as {_SHOWN_BY[noun]} shows it, "
        f"but got {text!r}"
    )


def _read_label(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise ValueError(f"expected key=value, but got {text!r}")
    return key, value


JOB: Final = TextType("job id", partial(read_id, noun="job"))
MESSAGE: Final = TextType("message id", partial(read_id, noun="message"))
DURATION: Final = TextType("time", parse_duration)
INSTANT: Final = TextType("instant", lambda text: parse_instant(text, now=datetime.now(UTC)))
STATUS: Final = StatusType("status", status_numbers)
LABEL: Final = TextType("key=value", _read_label)


def read_parameters(documents: Sequence[str], assignments: Iterable[str]) -> dict[str, Any]:
    """Return the inputs of a job: JSON objects first, then single ones, later ones winning."""
    parameters: dict[str, Any] = {}
    for document in documents:
        parameters.update(_read_object(document))
    for assignment in assignments:
        key, value = _read_assignment(assignment)
        parameters[key] = value
    return parameters


def _read_object(text: str) -> dict[str, Any]:
    source = "--parameters"
    document = text
    if text == "-":
        source, document = "standard input", sys.stdin.read()
    elif text.startswith("@"):
        source, document = text[1:], read_file(text[1:])
    try:
        value = json.loads(document)
    except ValueError as error:
        raise click.UsageError(f"expected a JSON object in {source}, but {error}.") from None
    if not isinstance(value, dict):
        raise click.UsageError(
            f"expected a JSON object such as {{'month': 5}} in {source}, "
            f"but got {type(value).__name__}."
        )
    return value


def read_file(name: str) -> str:
    """Return the text of a file that was named on the command line."""
    try:
        return Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise click.UsageError(
            f"expected a file at {name}, but it cannot be read: {error.strerror}."
        ) from None
    except UnicodeDecodeError:
        raise click.UsageError(f"expected UTF-8 text in {name}, but it is not.") from None


def _read_assignment(text: str) -> tuple[str, Any]:
    key, sign, value = text.partition("=")
    if not sign or not key.rstrip(":"):
        raise click.UsageError(
            f"expected NAME=TEXT or NAME:=JSON for --param, but got {text!r}. "
            "Examples: month=2026-10, pages:=5, dry_run:=true"
        )
    if not key.endswith(":"):
        return key, value
    try:
        return key[:-1], json.loads(value)
    except ValueError as error:
        raise click.UsageError(
            f"expected JSON after {key}= in --param, but {error}. "
            f"For a text write {key[:-1]}={value}"
        ) from None


def read_job_ids(words: Sequence[str]) -> list[int]:
    """Return the ids named on the command line, or on standard input for `-`, each once."""
    texts: list[str] = []
    for word in words:
        texts.extend(sys.stdin.read().split() if word == "-" else word.split(","))
    try:
        ids = [read_id(text, "job") for text in texts if text]
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    if not ids:
        raise click.UsageError("expected at least one job id, but got none.")
    return list(dict.fromkeys(ids))
