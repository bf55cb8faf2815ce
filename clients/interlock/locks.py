"""The calls about locks: what keeps jobs from running together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from interlock.v1 import lock_service_pb2 as api
from interlock.v1.lock_pb2 import Lock, LockKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from interlock.connection import Connection

    Locks = list[Lock]

_PAGE_SIZE: Final = 1_000


class LockCalls:
    """Calls of LockService."""

    _connection: Connection

    async def put_locks(self, locks: Iterable[Lock | Mapping[str, Any]]) -> Locks:
        """Create or change locks, all or none; returns them as they are now.

        A lock in words: {"name": "ledger", "kind": "counted", "counts": 3}. The kinds are "simple",
        "counted" and "shared_exclusive".
        """
        connection = self._connection
        request = api.PutLocksRequest(locks=[_lock(each) for each in locks])
        return [*(await connection.call(connection.locks.PutLocks, request)).locks]

    async def list_locks(self) -> Locks:
        """Return all locks by name, with who has them and how many jobs wait."""
        connection = self._connection
        locks: Locks = []
        request = api.ListLocksRequest(page_size=_PAGE_SIZE)
        while True:
            response = await connection.call(connection.locks.ListLocks, request)
            locks += response.locks
            if not response.next_page_token:
                return locks
            request.page_token = response.next_page_token

    async def delete_locks(self, names: Iterable[str]) -> None:
        """Remove locks that no definition needs and no job has or waits for, all or none."""
        connection = self._connection
        request = api.DeleteLocksRequest(names=[names] if isinstance(names, str) else names)
        await connection.call(connection.locks.DeleteLocks, request)


def _lock(given: Lock | Mapping[str, Any]) -> Lock:
    if isinstance(given, Lock):
        return given
    fields = dict(given)
    kind = fields.get("kind")
    if isinstance(kind, str):
        known = {name.removeprefix("LOCK_KIND_").lower(): number for name, number in _KINDS}
        if kind not in known:
            raise ValueError(f"expected a kind of {', '.join(known)}, but got {kind!r}")
        fields["kind"] = known[kind]
    return Lock(**fields)


_KINDS: Final = [(name, number) for name, number in LockKind.items() if number]
