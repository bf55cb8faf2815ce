"""Gathers concurrent single calls into requests for many.

The first call goes out in the same turn of the event loop, together with all that were made in it.
While requests are under way, later calls collect; so the busier a program is, the larger its
requests, and an idle one waits for nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from interlock.errors import InterlockError, Overloaded, Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Sequence

Answer = TypeVar("Answer")

#: How many items one request may have.
ITEMS_MAX: Final = 1_000
#: How many bytes of items one request carries at most; a server accepts 4 MiB.
BYTES_MAX: Final = 3 << 20
#: One request is written by the server while the next one is under way.
_UNDER_WAY_MAX: Final = 2


@dataclass(eq=False, slots=True)
class _Waiting(Generic[Answer]):
    item: Any
    key: Hashable
    size: int
    answer: asyncio.Future[Answer]


class Gatherer(Generic[Answer]):
    """Sends items in requests of many. `send` takes items and returns one answer for each."""

    def __init__(
        self,
        send: Callable[[Sequence[Any]], Awaitable[Sequence[Answer | InterlockError]]],
        *,
        when_idle: Callable[[], object] | None = None,
    ) -> None:
        self._send = send
        self._when_idle = when_idle
        self._waiting: deque[_Waiting[Answer]] = deque()
        self._under_way: set[asyncio.Task[None]] = set()
        self._is_scheduled = False

    async def ask(self, item: Any, *, key: Hashable = None, size: int = 16) -> Answer:
        """Return the answer for one item. Items with the same key never share a request."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting[Answer](item, key, size, loop.create_future())
        self._waiting.append(waiting)
        if not self._is_scheduled and len(self._under_way) < _UNDER_WAY_MAX:
            self._is_scheduled = True
            loop.call_soon(self._send_next)
        return await waiting.answer

    def _send_next(self) -> None:
        self._is_scheduled = False
        while self._waiting and len(self._under_way) < _UNDER_WAY_MAX:
            group = self._take()
            if not group:
                return
            task = asyncio.get_running_loop().create_task(
                self._send_group(group), name="interlock-gather"
            )
            self._under_way.add(task)
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._send_next()
        if self._when_idle is not None and not self._under_way and not self._waiting:
            self._when_idle()

    def _take(self) -> list[_Waiting[Answer]]:
        group: list[_Waiting[Answer]] = []
        keys: set[Hashable] = set()
        left: list[_Waiting[Answer]] = []
        size = 0
        while self._waiting and len(group) < ITEMS_MAX:
            waiting = self._waiting.popleft()
            if waiting.answer.done():  # its caller was cancelled before it was sent
                continue
            if waiting.key is not None and waiting.key in keys:
                left.append(waiting)
                continue
            if group and size + waiting.size > BYTES_MAX:
                left.append(waiting)
                break
            size += waiting.size
            keys.add(waiting.key)
            group.append(waiting)
        self._waiting.extendleft(reversed(left))
        return group

    async def _send_group(self, group: list[_Waiting[Answer]]) -> None:
        try:
            answers = await self._send([waiting.item for waiting in group])
        except (Overloaded, Unavailable) as error:
            _answer(group, [error] * len(group))
        except Refused as error:
            await self._send_apart(group, error)
        except Exception as error:  # noqa: BLE001 - every caller hears of it
            _answer(group, [error] * len(group))
        except asyncio.CancelledError:
            for waiting in group:
                waiting.answer.cancel()
            raise
        else:
            _answer(group, answers)

    async def _send_apart(self, group: list[_Waiting[Answer]], error: Refused) -> None:
        # One item that is wrong has the whole request refused; the others are not to suffer.
        if len(group) == 1:
            _answer(group, [error])
            return
        middle = len(group) // 2
        await self._send_group(group[:middle])
        await self._send_group(group[middle:])


def _answer(group: list[_Waiting[Answer]], answers: Sequence[Answer | Exception]) -> None:
    assert len(group) == len(answers), "expected one outcome for each item"
    for waiting, answer in zip(group, answers, strict=True):
        if waiting.answer.done():
            continue
        if isinstance(answer, Exception):
            waiting.answer.set_exception(answer)
        else:
            waiting.answer.set_result(answer)
