"""Reads what is stored, to compare it with what was promised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grpc import aio

from interlock.v1.admin_service_pb2 import GetStatusRequest, VerifyRequest
from interlock.v1.job_service_pb2 import ListJobsRequest, ListScope
from interlock.v1.watch_service_pb2 import WatchForm, WatchRequest
from tests.crash.life import meaning

if TYPE_CHECKING:
    from tests.crash.account import Account
    from tests.crash.life import Life


async def read_all(life: Life, account: Account) -> list[str]:
    """Read on from where the account ends to the newest revision; what was wrong with that."""
    status = await life.admin.GetStatus(GetStatusRequest(), timeout=10)
    account.new_stream()
    call = life.watches.Watch(
        WatchRequest(from_revision=account.head, form=WatchForm.WATCH_FORM_COLUMNS)
    )
    try:
        while account.head < status.revision:
            message = await call.read()
            if message.WhichOneof("message") == "names":
                account.learn(message.names.names)
            elif message.WhichOneof("message") == "columns":
                account.add(message.columns)
        if account.head > status.revision:
            return [f"durable first: {account.head} was seen, but {status.revision} is the last"]
    except aio.AioRpcError as failure:
        return [f"durable first: {account.head} was seen, but {meaning(failure)}"]
    finally:
        call.cancel()
    return []


async def lost(life: Life, account: Account) -> list[str]:
    """Jobs that have changes and that the server does not know any more."""
    listed: set[int] = set()
    request = ListJobsRequest(scope=ListScope.LIST_SCOPE_ALL, page_size=1_000)
    while True:
        page = await life.jobs.ListJobs(request, timeout=10)
        listed |= {job.id for job in page.jobs}
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    missing = sorted(account.by_job.keys() - listed)
    return [f"stored: job {job} has changes and is not listed" for job in missing]


async def verified(life: Life) -> list[str]:
    """What the server's own verification finds."""
    async for step in life.admin.Verify(VerifyRequest(), timeout=60):
        if step.done:
            return [f"verify: {problem}" for problem in step.problems]
    return ["verify: it did not end"]
