"""Places where a test can break the process on purpose, so that every crash point is tried.

`fp("journal.before_commit")` does nothing unless INTERLOCK_FAILPOINTS names that place:
`name=action[:argument][:after=N][:once]`, several separated by `;`. Actions: `kill` (SIGKILL to
itself), `exit[:status]`, `raise` (OSError EIO) and `sleep:milliseconds`. `after=N` lets the first
N passages through, `once` breaks only one.
"""

from __future__ import annotations

import errno
import os
import signal
import threading
from dataclasses import dataclass
from typing import Final

ENVIRONMENT: Final = "INTERLOCK_FAILPOINTS"
ACTIONS: Final = ("kill", "exit", "raise", "sleep")


@dataclass(slots=True)
class Failpoint:
    """What happens at one place."""

    name: str
    action: str
    argument: int = 0
    after: int = 0
    once: bool = False
    passed: int = 0

    def reach(self) -> None:
        """Pass through, or break as told."""
        self.passed += 1
        due = self.passed - self.after
        if due < 1 or (self.once and due > 1):
            return
        match self.action:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "exit":
                os._exit(self.argument)
            case "raise":
                raise OSError(errno.EIO, f"failpoint {self.name}")
            case _:
                # Not time.sleep: only the clock knows time.
                threading.Event().wait(self.argument / 1000)


def parse(text: str) -> dict[str, Failpoint]:
    """Read what ENVIRONMENT says; ValueError with a sentence if it cannot be understood."""
    found = [_parse_one(part.strip()) for part in text.split(";") if part.strip()]
    return {failpoint.name: failpoint for failpoint in found}


def _parse_one(text: str) -> Failpoint:
    name, _, rest = text.partition("=")
    action, *options = rest.split(":")
    if not name or action not in ACTIONS:
        raise ValueError(
            f"expected name=action with an action of {', '.join(ACTIONS)}, but got {text!r}"
        )
    failpoint = Failpoint(name, action)
    for option in options:
        if option == "once":
            failpoint.once = True
        elif option.removeprefix("after=").isdigit():
            field = "after" if option.startswith("after=") else "argument"
            setattr(failpoint, field, int(option.removeprefix("after=")))
        else:
            raise ValueError(f"expected a number, after=N or once, but got {option!r} in {text!r}")
    return failpoint


#: Read once. Mutable, which nothing else at module level is: a place must be reachable from
#: anywhere without being handed something that only tests use.
_armed: Final[dict[str, Failpoint]] = parse(os.environ.get(ENVIRONMENT, ""))


def fp(name: str) -> None:
    """Pass the place `name`; costs a look at an empty dict unless something is armed."""
    if _armed and (failpoint := _armed.get(name)):
        failpoint.reach()


def arm(text: str) -> None:
    """Arm the failpoints of `text`, in addition to those armed already."""
    _armed.update(parse(text))


def disarm() -> None:
    """Let every place be passed again."""
    _armed.clear()
