"""AckLog: everything that the server acknowledged, written down the moment the answer came.

At the end it is compared with what the server has. The demonstration keeps it, not the server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from interlock import JobHandle, Outcome

    Answer = TypeVar("Answer", JobHandle, Outcome)


class Ack(NamedTuple):
    """One acknowledged status of one job."""

    job: int
    status: str
    revision: int


class AckLog:
    """What was acknowledged, in the order of the answers."""

    def __init__(self) -> None:
        self.acks: list[Ack] = []
        #: Jobs by the reference that their submission gave.
        self.jobs_of: dict[str, int] = {}

    def take(self, answer: Answer, *, reference: str = "") -> Answer:
        """Write an answer down and return it."""
        job = getattr(answer, "job", 0) or getattr(answer, "id", 0)
        self.acks.append(Ack(job, str(answer.status), answer.revision))
        if reference:
            self.jobs_of[reference] = job
        return answer
