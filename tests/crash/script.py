"""A short scripted run that writes everything a journal can hold, for breaking it at every point.

It may be cut off anywhere: `go` raises `CutOff` then. What was promised by then is in `ledger`, and
`settle` asks again, on a server that works, for every outcome that is not known.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from grpc import aio

from interlock.v1 import admin_service_pb2, catalog_service_pb2
from interlock.v1 import job_service_pb2 as pb
from interlock.v1 import robot_service_pb2 as robot_pb
from interlock.v1.definition_pb2 import Definition
from interlock.v1.robot_service_pb2 import ReportKind as K
from interlock.v1.status_pb2 import Lifecycle
from tests.crash.account import Account
from tests.crash.ledger import Asked, Ledger, Reported
from tests.crash.life import UNKNOWN_CODES, is_cut_off, meaning
from tests.crash.reading import read_all, verified

if TYPE_CHECKING:
    from tests.crash.life import Life

_CALL_S: Final = 10.0
_LIFECYCLES: Final = {"r": Lifecycle.LIFECYCLE_REDWOOD, "u": Lifecycle.LIFECYCLE_UIPATH}


class CutOff(Exception):  # noqa: N818 - says what happened
    """The server is gone."""


class Script:
    """One run of the script."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.account = Account()
        #: Reasons of the calls that the server's end cut off.
        self.last_words: list[str] = []
        self._requests = 0
        self._catalog: Any = None

    async def go(self, life: Life) -> None:
        """Run it to its end."""
        try:
            await self._put_definitions(life)
            first = await self._ask(life, "SubmitJobs", _submission("r", "r", "u", "u"), 4)
            held = await self._ask(life, "SubmitJobs", _submission("r", hold=True), 1)
            await self._work(life, first)
            await self._ask(life, "ReleaseJobs", pb.ReleaseJobsRequest(jobs=_jobs(held)), 0)
            await self._ask(life, "HoldJobs", pb.HoldJobsRequest(jobs=_jobs(held)), 0)
            await read_all(life, self.account)
            await self._admin(life)
            await self._ask(life, "CancelJobs", pb.CancelJobsRequest(jobs=_jobs(held)), 0)
            restart = pb.RestartJobsRequest(jobs=_jobs(first)[:1])
            await self._ask(life, "RestartJobs", restart, 1)
        except aio.AioRpcError as failure:
            if not is_cut_off(failure):
                self.ledger.broken.append(f"script: {meaning(failure)}")
            self.last_words.append(meaning(failure).reason)
            raise CutOff from failure
        except asyncio.InvalidStateError as error:
            raise CutOff from error  # the call was over when something was written

    async def settle(self, life: Life) -> list[str]:
        """Ask again for what is not known; then everything promised has to be there, once."""
        for asked in self.ledger.asked:
            if not asked.known:
                await self._send(life, asked)
        broken = await read_all(life, self.account)
        broken += [*self.ledger.broken, *self.account.problems()]
        broken += [*self.ledger.problems(self.account), *await verified(life)]
        return broken

    async def _put_definitions(self, life: Life) -> None:
        definitions = [
            Definition(name=name, lifecycle=lifecycle) for name, lifecycle in _LIFECYCLES.items()
        ]
        request = catalog_service_pb2.PutDefinitionsRequest(definitions=definitions)
        await life.catalog.PutDefinitions(request, timeout=_CALL_S)

    async def _ask(self, life: Life, method: str, request: Any, creates: int) -> Any:
        self._requests += 1
        request.request_id = f"script.{self._requests:010d}"
        asked = Asked(method, request, creates, floor=self.ledger.told)
        self.ledger.asked.append(asked)
        return await self._send(life, asked)

    async def _send(self, life: Life, asked: Asked) -> Any:
        asked.tries += 1
        try:
            asked.answer = await getattr(life.jobs, asked.method)(asked.request, timeout=_CALL_S)
        except aio.AioRpcError as failure:
            if failure.code() in UNKNOWN_CODES:
                raise
            asked.refusal = meaning(failure).reason  # in `settle`: cut off before it could work
            return None
        self.ledger.tell(asked.answer.revision)
        return asked.answer

    async def _work(self, life: Life, submitted: Any) -> None:
        """A robot takes the jobs, starts them and ends them."""
        call = life.robots.Session()
        try:
            hello = robot_pb.Hello(
                robot="robot",
                instance="instance-of-script",
                definitions=list(_LIFECYCLES),
                slots=10,
            )
            await call.write(robot_pb.SessionRequest(hello=hello))
            offers: list[robot_pb.Offer] = []
            while len(offers) < len(submitted.outcomes):
                message = await _read(call)
                offers += message.offers.offers
            await self._report(call, 1, offers, K.REPORT_KIND_STARTED)
            await self._report(call, 2, offers, K.REPORT_KIND_COMPLETED)
            await call.write(robot_pb.SessionRequest(goodbye=robot_pb.Goodbye(reason="done")))
        finally:
            call.cancel()

    async def _report(
        self, call: Any, sequence: int, offers: list[robot_pb.Offer], kind: int
    ) -> None:
        columns = robot_pb.ReportColumns(
            sequence=sequence,
            jobs=[offer.job for offer in offers],
            fences=[offer.fence for offer in offers],
            kinds=bytes([kind]),
        )
        await call.write(robot_pb.SessionRequest(columns=columns))
        while (ack := (await _read(call)).report_ack).sequence < sequence:
            continue
        for offer in offers:
            reported = Reported("robot", offer.job, offer.fence, kind, ack.revision)
            self.ledger.reported.append(reported)
        self.ledger.tell(ack.revision)

    async def _admin(self, life: Life) -> None:
        """Snapshot, compaction, log truncation and backup."""
        request = admin_service_pb2.CompactRequest(keep_revisions=3)
        await life.admin.Compact(request, timeout=_CALL_S)
        await life.admin.Backup(admin_service_pb2.BackupRequest(name="copy"), timeout=_CALL_S)


async def _read(call: Any) -> Any:
    message = await call.read()
    if message is aio.EOF:
        raise CutOff
    return message


def _submission(*definitions: str, hold: bool = False) -> pb.SubmitJobsRequest:
    return pb.SubmitJobsRequest(
        jobs=[pb.NewJob(definition=name, hold=hold) for name in definitions]
    )


def _jobs(answer: Any) -> list[int]:
    return [outcome.job for outcome in answer.outcomes]
