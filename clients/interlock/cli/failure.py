"""What is said, and which exit code is given, when something did not work.

A sentence says what was wrong, what was expected and what to do next: the server's own words about
the job first, then the command that helps. Bugs are not explained away; they keep their traceback.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from interlock.cli import exit_code
from interlock.cli.safe_text import lines, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from interlock.cli.invocation import Invocation


class CommandError(Exception):
    """The command did not do what it was told; the text is for the person who told it."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.exit_code = code


#: Reasons of the API (error_reason.proto) that are not told apart by the end of their name.
_CODE_OF_REASON: Final = {
    **dict.fromkeys(
        (
            "PARTITION_EXISTS",
            "JOB_ALREADY_PENDING",
            "ILLEGAL_TRANSITION",
            "ALREADY_FINAL",
            "WRONG_LIFECYCLE",
            "NOT_FINAL",
            "QUEUE_IS_SYSTEM",
            "QUEUE_NOT_HELD",
            "QUEUE_ALREADY_HELD",
            "MESSAGE_CLOSED",
            "NOT_EXTERNAL",
            "RECORDING_REFUSED",
            "IN_USE",
            "TOO_LARGE",
            "ALREADY_SO",
            "EVENT_NOT_RAISED",
            "SCHEDULE_FINISHED",
            "DIGEST_MISMATCH",
            "CONFLICTING_DEFINITION",
            "REQUEST_ID_CONFLICT",
            "REVISION_MISMATCH",
            "REVISION_COMPACTED",
            "HISTORY_CHANGED",
            "REVISION_IN_FUTURE",
        ),
        exit_code.REFUSED,
    ),
    **dict.fromkeys(
        (
            "MALFORMED_MESSAGE",
            "READ_ONLY_FIELD",
            "EMPTY_BATCH",
            "BATCH_TOO_LARGE",
            "DUPLICATE_TARGET",
            "UNKNOWN_STATUS",
            "FILTER_TOO_COMPLEX",
            "REPLY_REFUSED",
            "OUT_OF_BOUNDS",
        ),
        exit_code.USAGE,
    ),
    **dict.fromkeys(
        (
            "SLOW_CONSUMER",
            "TOO_MANY_WATCHES",
            "OVERLOADED",
            "STORAGE_FULL",
            "DRAINING",
            "GOING_AWAY",
            "OUTCOME_UNKNOWN",
        ),
        exit_code.UNAVAILABLE,
    ),
}

_ADVICE: Final = {
    "PARTITION_NOT_FOUND": "Name another one with --partition.",
    "JOB_NOT_FOUND": "`interlock list` shows jobs.",
    "DEFINITION_NOT_FOUND": (
        "`interlock definition list` shows what there is, `interlock definition put` adds one."
    ),
    "QUEUE_NOT_FOUND": (
        "`interlock queue list` shows what there is, `interlock queue put` adds one."
    ),
    "ROBOT_NOT_FOUND": "`interlock robot list` shows who there is.",
    "MESSAGE_NOT_FOUND": "`interlock messages` shows the open ones.",
    "MESSAGE_CLOSED": "`interlock messages --all` shows the reply that was given.",
    "STEP_NOT_FOUND": "`interlock chain` shows the steps of a chain.",
    "LIFECYCLE_NOT_FOUND": "`interlock lifecycle list` shows what there is.",
    "REVISION_MISMATCH": "Look again with `interlock get`, then decide again.",
    "REVISION_COMPACTED": "Start with `interlock watch --snapshot` instead.",
    "HISTORY_CHANGED": "Start with `interlock watch --snapshot` instead.",
    "REVISION_IN_FUTURE": "`interlock status` shows the newest revision.",
    "QUEUE_ALREADY_HELD": "`interlock queue list` shows by whom and why.",
    "WRONG_LIFECYCLE": "`interlock lifecycle show uipath` (or redwood) shows its verbs.",
    "IN_USE": "`interlock list --live` shows what still needs it.",
    "STORAGE_FULL": "Free space in the server's data directory; reading still works.",
    "OVERLOADED": "Try again later, or give it longer: --timeout 60s.",
    "DRAINING": "The server is stopping. Try again when it is back.",
    "OUTCOME_UNKNOWN": "Look with `interlock history` before you repeat it.",
    "INTERNAL": "This is a bug of the server; its log has more under that error id.",
}


def code_of_reason(reason: str) -> int:
    """Return the exit code for a refusal with this reason."""
    if reason.endswith("_NOT_FOUND"):
        return exit_code.NOT_FOUND
    if reason.startswith("INVALID_"):
        return exit_code.USAGE
    return _CODE_OF_REASON.get(reason, exit_code.FAILURE)


def refusal_text(reason: str, message: str, metadata: Mapping[str, str]) -> str:
    """Return the server's sentence, with the next step where there is one to name."""
    parts = [lines(message).rstrip(".") + "." if message else f"refused: {reason}."]
    allowed = metadata.get("allowed", "")
    if allowed and allowed not in message:
        parts.append(f"Allowed now: {lines(allowed)}.")
    if advice := _ADVICE.get(reason):
        parts.append(advice)
    return " ".join(parts)


def unreachable(invocation: Invocation, detail: str) -> CommandError:
    """Return what to say when no server answers."""
    address = invocation.settings.values["address"]
    reason = f" ({_detail(detail)})" if detail else ""
    return CommandError(
        f"expected an Interlock server at {address.value} (address from: {address.origin}), "
        f"but got no answer in {invocation.settings['timeout']:g} seconds{reason}.\n"
        f"  Start one:       interlock serve{_listen(address.value)}\n"
        f"  Ask another one: --address HOST:PORT, or INTERLOCK_ADDRESS",
        exit_code.UNAVAILABLE,
    )


def _listen(address: str) -> str:
    # what is on another machine has to be started there; a name may mean two addresses
    host, _, port = address.rpartition(":")
    if host in {"localhost", "127.0.0.1"}:
        return f" --listen 127.0.0.1:{port}"
    return f" --listen {address}" if address.startswith("unix:") else " (on its machine)"


@contextmanager
def failures(invocation: Invocation) -> Iterator[None]:
    """Turn what the SDK and grpc raise into sentences with an exit code."""
    try:
        yield
    except Exception as error:
        failure = explain(error, invocation)
        if failure is None:
            raise
        raise failure from error


def explain(error: Exception, invocation: Invocation) -> CommandError | None:
    """Return what to say about an error, or None if it is not one to explain."""
    errors: Any = sys.modules.get("interlock.errors")
    if errors is None or not isinstance(error, errors.InterlockError):
        return None
    told: Any = error
    if isinstance(error, errors.Indeterminate):
        return CommandError(
            f"expected an answer from {invocation.settings['address']} within "
            f"{invocation.settings['timeout']:g} seconds, but none came ({_detail(told.message)}). "
            "Whether the change was made is not known: look with `interlock get` or "
            "`interlock history` before you repeat it.",
            exit_code.UNAVAILABLE,
        )
    if isinstance(error, errors.Unavailable) and told.reason not in _ADVICE:
        return unreachable(invocation, told.message)
    if told.reason == "UNIMPLEMENTED":
        return CommandError(
            f"expected an Interlock server of this version at {invocation.settings['address']}, "
            "but what answers there does not know this request. Is it another server, or an "
            "older one? `interlock status` shows its version.",
            exit_code.FAILURE,
        )
    text = refusal_text(told.reason, told.message, told.metadata)
    if error_id := told.metadata.get("error_id"):
        text += f" Error id: {lines(error_id)}."
    return CommandError(text, code_of_reason(told.reason))


def _detail(text: str) -> str:
    """Return what grpc says went wrong, without what it says before."""
    cause = text.rpartition("last error: ")[2].replace("%5B", "[").replace("%5D", "]")
    return one_line(cause).removeprefix("UNKNOWN: ").rstrip(".")
