"""The calls about what jobs are made of: definitions and queues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from interlock.definition import definition_message, definition_of
from interlock.document import from_document, to_document
from interlock.v1 import catalog_service_pb2 as api
from interlock.v1.definition_pb2 import RestartBehavior
from interlock.v1.queue_pb2 import Queue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from interlock.connection import Connection
    from interlock.definition import Definition

    # A neighbour has a method of that name.
    Definitions = list[Definition]
    Queues = list[Queue]
    Behaviors = list[dict[str, Any]]

_PAGE_SIZE: Final = 1_000


class CatalogCalls:
    """Calls of CatalogService. A put is repeatable: it writes the whole thing."""

    _connection: Connection

    async def put_definitions(
        self, definitions: Iterable[Definition | Mapping[str, Any]]
    ) -> Definitions:
        """Create or change definitions, all or none; returns them as they are now."""
        connection = self._connection
        request = api.PutDefinitionsRequest(
            definitions=[definition_message(definition) for definition in definitions]
        )
        response = await connection.call(connection.catalog.PutDefinitions, request)
        return [definition_of(raw) for raw in response.definitions]

    async def list_definitions(self) -> Definitions:
        """Return all definitions by name."""
        connection = self._connection
        definitions: Definitions = []
        request = api.ListDefinitionsRequest(page_size=_PAGE_SIZE)
        while True:
            response = await connection.call(connection.catalog.ListDefinitions, request)
            definitions += [definition_of(raw) for raw in response.definitions]
            if not response.next_page_token:
                return definitions
            request.page_token = response.next_page_token

    async def delete_definitions(self, names: Iterable[str]) -> None:
        """Remove definitions that no live job has, all or none."""
        connection = self._connection
        request = api.DeleteDefinitionsRequest(names=_names(names))
        await connection.call(connection.catalog.DeleteDefinitions, request)

    async def put_restart_defaults(self, behaviors: Iterable[Mapping[str, Any]]) -> Behaviors:
        """Say what follows a final status where a definition does not; replaces what was said.

        A behavior in words: {"status": "Error", "action": "request_restart"}, with "delay" and
        "message" as in a definition.
        """
        connection = self._connection
        request = api.PutRestartDefaultsRequest(
            behaviors=[from_document(each, RestartBehavior) for each in behaviors]
        )
        response = await connection.call(connection.catalog.PutRestartDefaults, request)
        return [to_document(each) for each in response.behaviors]

    async def restart_defaults(self) -> Behaviors:
        """Return what follows a final status where a definition does not say, in words."""
        connection = self._connection
        request = api.GetRestartDefaultsRequest()
        response = await connection.call(connection.catalog.GetRestartDefaults, request)
        return [to_document(each) for each in response.behaviors]

    async def put_queues(self, queues: Iterable[Queue | Mapping[str, Any]]) -> Queues:
        """Create or change queues, all or none; returns them as they are now."""
        connection = self._connection
        request = api.PutQueuesRequest(
            queues=[queue if isinstance(queue, Queue) else Queue(**queue) for queue in queues]
        )
        response = await connection.call(connection.catalog.PutQueues, request)
        return [*response.queues]

    async def list_queues(self) -> Queues:
        """Return all queues by name."""
        connection = self._connection
        queues: Queues = []
        request = api.ListQueuesRequest(page_size=_PAGE_SIZE)
        while True:
            response = await connection.call(connection.catalog.ListQueues, request)
            queues += response.queues
            if not response.next_page_token:
                return queues
            request.page_token = response.next_page_token

    async def delete_queues(self, names: Iterable[str]) -> None:
        """Remove queues that no live job and no definition uses, all or none."""
        connection = self._connection
        request = api.DeleteQueuesRequest(names=_names(names))
        await connection.call(connection.catalog.DeleteQueues, request)

    async def hold_queue(self, name: str, *, reason: str = "") -> Queue:
        """Stop dispatching from a queue at once; jobs that robots have go on."""
        connection = self._connection
        request = api.HoldQueueRequest(queue=name, reason=reason, requested_by=connection.user)
        return (await connection.call(connection.catalog.HoldQueue, request)).queue

    async def release_queue(self, name: str, *, reason: str = "") -> Queue:
        """Let a held queue go on."""
        connection = self._connection
        request = api.ReleaseQueueRequest(queue=name, reason=reason, requested_by=connection.user)
        return (await connection.call(connection.catalog.ReleaseQueue, request)).queue


def _names(names: Iterable[str]) -> Iterable[str]:
    return [names] if isinstance(names, str) else names
