"""LifecycleService: the tables, so that a client can know what is legal before it asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interlock.v1 import lifecycle_service_pb2 as pb
from interlock.v1.error_reason_pb2 import ErrorReason
from interlock.v1.lifecycle_service_pb2_grpc import LifecycleServiceServicer
from interlock_server.core.vocabulary.lifecycle import LIFECYCLES
from interlock_server.core.vocabulary.status import (
    IS_FINAL,
    STATUS_ALIASES,
    STATUS_CODE,
    STATUS_NAME,
    STATUS_STATE,
)
from interlock_server.rpc.errors import Refused

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

    from interlock_server.core.vocabulary.lifecycle import Table

    Context = ServicerContext[Any, Any]


class LifecycleService(LifecycleServiceServicer):
    """Serves what never changes while the server runs."""

    async def ListLifecycles(  # noqa: N802
        self, _request: pb.ListLifecyclesRequest, _context: Context
    ) -> pb.ListLifecyclesResponse:
        """Name the lifecycles."""
        return pb.ListLifecyclesResponse(names=list(LIFECYCLES))

    async def DescribeLifecycle(  # noqa: N802
        self, request: pb.DescribeLifecycleRequest, _context: Context
    ) -> pb.DescribeLifecycleResponse:
        """Serve one table whole."""
        table = LIFECYCLES.get(request.name)
        if table is None:
            raise Refused(
                ErrorReason.ERROR_REASON_LIFECYCLE_NOT_FOUND,
                f"expected the name of a lifecycle ({' or '.join(LIFECYCLES)}), "
                f"but got {request.name[:64]!r}",
            )
        return _description(request.name, table)


def _description(name: str, table: Table) -> pb.DescribeLifecycleResponse:
    return pb.DescribeLifecycleResponse(
        name=name,
        statuses=[
            pb.StatusDescription(
                status=int(status),  # type: ignore[arg-type]  # same numbers
                name=STATUS_NAME[status],
                code=STATUS_CODE[status],
                state=int(STATUS_STATE[status]) + 1,  # type: ignore[arg-type]  # 0 is unspecified
                final=IS_FINAL[status],
                aliases=STATUS_ALIASES.get(status, ()),
            )
            for status in table.statuses
        ],
        transitions=[
            pb.Transition(
                row=row.number,
                id=row.id,
                trigger=row.trigger.text,
                to=int(row.target),  # type: ignore[arg-type]  # same numbers
                actors=[int(actor) for actor in row.actors],  # type: ignore[misc]  # same numbers
                **{"from": int(row.source)},  # a word of Python
            )
            for row in table.rows
        ],
    )
