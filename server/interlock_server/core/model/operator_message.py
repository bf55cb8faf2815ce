"""A question or note of a job to the people who operate it (domain.md B11)."""

from __future__ import annotations

import msgspec


class OperatorMessage(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """One message; a reply makes a new record of it."""

    id: int
    job: int
    text: str
    created_ms: int
    #: The whole reply has to match it; empty accepts any text that is not blank.
    pattern: str = ""
    #: Where given, the reply has to be one of them.
    choices: tuple[str, ...] = ()
    #: A reply is needed or was needed.
    required: bool = True
    #: The job waits in Console for it.
    blocking: bool = False
    #: The reply ends the job as Completed (TR-119).
    completes: bool = False
    reply: str = ""
    replied_by: str = ""
    #: 0 while there is no reply.
    replied_ms: int = 0
    #: The reply decides what follows the end of the job (rules/restart_question.py).
    restart: bool = False

    @property
    def is_open(self) -> bool:
        """Somebody still has to reply."""
        return self.required and not self.replied_ms
