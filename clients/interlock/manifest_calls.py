"""The calls about manifests: what a partition has, what would change, and changing it.

Applying a manifest writes what differs and nothing else, so applying it again changes nothing. What
is not in it stays as it is, unless it is pruned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from interlock.document import from_document, to_document
from interlock.manifest import KINDS, Change, without_defaults

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from interlock.connection import Connection
    from interlock.manifest import Kind, Manifest

_PAGE_SIZE: Final = 1_000
#: Objects that one request writes.
_BATCH_MAX: Final = 1_000


class ManifestCalls:
    """Calls about whole manifests."""

    _connection: Connection

    async def export(self, kinds: Iterable[str] = ()) -> dict[str, list[dict[str, Any]]]:
        """What the partition has, by kind, as documents that `apply` accepts."""
        wanted = set(kinds)
        found = {}
        for kind in KINDS:
            if not wanted or kind.name in wanted:
                documents = (
                    without_defaults(kind, to_document(each, without=kind.output))
                    for each in await self._list(kind)
                )
                found[kind.name] = [each for each in documents if not _is_untouched(kind, each)]
        return found

    async def compare(self, manifest: Manifest, *, prune: bool = False) -> list[Change]:
        """What applying a manifest would do, in the order in which it would be done.

        With `prune`, objects of the manifest's kinds that it does not have are deleted.
        """
        present = {
            kind: {
                str(each.name): without_defaults(kind, to_document(each, without=kind.output))
                for each in await self._list(kind)
            }
            for kind in KINDS
            if kind.name in manifest.documents
        }
        changes = [
            Change(kind, name, known.get(name), document)
            for kind, known in present.items()
            for name, document in manifest.documents[kind.name].items()
        ]
        if prune:
            changes += [
                Change(kind, name, document, None)
                for kind, known in reversed(present.items())
                for name, document in known.items()
                if name not in manifest.documents[kind.name] and name not in kind.built_in
            ]
        return changes

    async def apply(self, changes: Sequence[Change]) -> None:
        """Carry changes out, kind by kind; those of one kind all or none.

        What was refused raises `Refused`; the kinds before it are written, and applying the same
        manifest again goes on from there.
        """
        for kind in KINDS:
            written = [c for c in changes if c.kind == kind and c.what in {"create", "change"}]
            for start in range(0, len(written), _BATCH_MAX):
                await self._put(kind, written[start : start + _BATCH_MAX])
        for kind in reversed(KINDS):
            gone = [
                change.name for change in changes if (change.kind, change.what) == (kind, "delete")
            ]
            if gone:
                request = kind.request("Delete")
                request.names.extend(gone)
                await self._call(kind, "Delete", request)

    async def _put(self, kind: Kind, changes: Sequence[Change]) -> None:
        request = kind.request("Put")
        for change in changes:
            assert change.after is not None, "what is written has a document"
            getattr(request, kind.name).append(from_document(change.after, kind.message_type))
        await self._call(kind, "Put", request)

    async def _list(self, kind: Kind) -> list[Any]:
        request = kind.request("List")
        request.page_size = _PAGE_SIZE
        found: list[Any] = []
        while True:
            answer = await self._call(kind, "List", request)
            found += getattr(answer, kind.name)
            if not answer.next_page_token:
                return found
            request.page_token = answer.next_page_token

    async def _call(self, kind: Kind, verb: str, request: Any) -> Any:
        stub = getattr(self._connection, kind.service[1])
        return await self._connection.call(getattr(stub, f"{verb}{kind.method}"), request)


def _is_untouched(kind: Kind, document: Mapping[str, Any]) -> bool:
    """Whether it is built in and as it was made."""
    return document["name"] in kind.built_in and document.keys() <= {"name", "system"}
