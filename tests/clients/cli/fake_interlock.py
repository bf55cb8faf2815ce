"""A stand-in for the SDK's connection: gives the answers it was told and remembers what was asked.

It knows the names of the SDK's methods but nothing of what they do, so a test of the command line
says itself what the server would have answered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

#: Methods that return an async iterator instead of something to await.
STREAMS: Final = {"list", "verify"}


def wrapped(message: Any) -> SimpleNamespace:
    """Return a message as the SDK hands it out: an object with the message itself as `raw`."""
    names = [each.name for each in message.DESCRIPTOR.fields]
    fields = {name: getattr(message, name) for name in names}
    return SimpleNamespace(raw=message, all_executions=(), **fields)


@dataclass
class Call:
    """One call of a method."""

    method: str
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]


@dataclass
class FakeInterlock:
    """Answers by method name; an answer that is an exception is raised, a function is called."""

    answers: dict[str, Any]
    calls: list[Call] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def watch(self, **keywords: Any) -> FakeWatch:
        self.calls.append(Call("watch", (), keywords))
        return FakeWatch(self.answers.get("watch", ()), self.answers.get("snapshot", ()))

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def ask(*arguments: Any, **keywords: Any) -> Any:
            self.calls.append(Call(method, arguments, keywords))
            answer = self.answers[method]
            if callable(answer):
                answer = answer(*arguments, **keywords)
            return _stream(answer) if method in STREAMS else _answer(answer)

        return ask


async def _answer(answer: Any) -> Any:
    if isinstance(answer, BaseException):
        raise answer
    return answer


async def _stream(answer: Any) -> AsyncIterator[Any]:
    if isinstance(answer, BaseException):
        raise answer
    for each in answer:
        yield each


class FakeWatch:
    """A watch that ends after what it was given."""

    def __init__(self, changes: Any, jobs: Any) -> None:
        self._changes = iter(changes)
        self._jobs = list(jobs)
        self.revision = 0
        self.history_id = "0f" * 16
        self.resumes = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def snapshot(self) -> list[Any]:
        return self._jobs

    async def start(self) -> int:
        return self.revision

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        change = next(self._changes, None)
        if change is None:
            raise StopAsyncIteration
        if isinstance(change, BaseException):
            raise change
        self.revision = change.revision
        return change
