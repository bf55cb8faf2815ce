"""The story: what the operator does, what is killed, and what has to come of it.

Each act waits for what the watcher sees; the claims about single jobs are made as they end.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any, Final

from benchmarks.demo import bookkeeping
from benchmarks.demo.ack_log import AckLog
from benchmarks.demo.claims import Claim, Evidence, judge
from benchmarks.demo.process import Program, StoryError
from benchmarks.demo.robot import UPLOAD_PARTS, definitions

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.demo.observer import Observer
    from benchmarks.demo.process import Server
    from benchmarks.demo.stage import Stage
    from interlock import Change, Interlock, Job

SERVER_SETTINGS: Final = (
    *("--heartbeat", "1s", "--session-ttl", "5s", "--uncertain-timeout", "30s"),
    *("--log-format", "console", "--log-level", "info"),
)
ROBOTS: Final = ("bot-1", "bot-2")
_RECEIPTS_AT_ONCE: Final = 4
_PACKED_BEFORE_CRASH: Final = 4
_VERIFY_SECONDS: Final = 60.0


class Story:
    """Everything that happens, in order."""

    def __init__(
        self,
        interlock: Interlock,
        observer: Observer,
        stage: Stage,
        server: Server,
        folder: Path,
    ) -> None:
        self._interlock = interlock
        self._observer = observer
        self._stage = stage
        self._say = stage.say
        self._server = server
        self._folder = folder
        self._files = folder / "files"
        self._acks = AckLog()
        self.robots: dict[str, Program] = {}
        self._claims: list[Claim] = []
        self._hashes: dict[str, str] = {}
        self._before_crash: list[Change] = []
        self._standing: dict[int, str] = {}
        self._found: dict[int, str] = {}
        self._crash_is_over = asyncio.Event()

    def state(self) -> str:
        """Return a line about the programs, for the live view."""
        programs = {"server": self._server.program, **self.robots}
        words = (
            f"{name} {'runs' if program.running else 'is dead'} (pid {program.pid})"
            for name, program in programs.items()
        )
        seen = f"watcher: {len(self._observer.changes)} changes, {self._observer.gaps} gaps"
        return "   ".join((*words, seen))

    async def tell(self) -> list[Claim]:
        """Tell it; returns what was promised and what came of it."""
        await self._open()
        ledgers = asyncio.create_task(self._make_ledgers())
        try:
            await self._wait_in_every_way()
            receipts = asyncio.create_task(self._order_receipts())
            try:
                await self._crash()
                await receipts
            finally:
                receipts.cancel()
            await self._go_on()
            await ledgers
        finally:
            ledgers.cancel()
        lost = await self._lose_a_robot()
        await self._end_jobs()
        await self._see_the_loss(lost)
        await self._sum_up()
        return self._claims

    # -- the opening ---------------------------------------------------------------------------

    async def _open(self) -> None:
        self._stage.scene("A server, two robots, an operator and a watcher")
        await self._say(
            f"The server runs in process {self._server.program.pid} at {self._server.address}; "
            "it answers only what is on disk."
        )
        await self._interlock.put_queues(
            [
                {"name": "ledger", "execution_size": 4},
                {"name": "night"},
            ]
        )
        known = await self._interlock.put_definitions(definitions())
        for name in ROBOTS:
            self.robots[name] = await Program.start(
                ("benchmarks.demo.robot", self._server.address, name, str(self._files)),
                self._folder / f"{name}.log",
            )
        await self._say(
            f"{len(known)} kinds of jobs are known, "
            f"{sum(each.lifecycle == 'redwood' for each in known)} with the statuses of Redwood, "
            f"{sum(each.lifecycle == 'uipath' for each in known)} with those of UiPath. "
            "The watcher sees every change."
        )

    async def _submit(self, definition: str, parameters: Any = None, **options: Any) -> int:
        handle = await self._interlock.submit(definition, parameters, **options)
        return self._acks.take(handle, reference=options.get("reference", "")).id

    async def _make_ledgers(self) -> None:
        """Order the ledger of each month, and pack each when it is there."""
        await asyncio.gather(*(self._make_ledger(month) for month in bookkeeping.MONTHS))

    async def _make_ledger(self, month: str) -> None:
        extract = await self._submit("Extract", {"month": month})
        await self._observer.reaches(extract, "Completed")
        pack = await self._submit("Pack", {"month": month})
        await self._observer.reaches(pack, "Successful")
        self._hashes[month] = (await self._interlock.get(pack)).result["sha256"]

    async def _wait_in_every_way(self) -> None:
        self._stage.scene("Work begins, and jobs wait for many things")
        await self._say(
            "The robots write twelve ledgers, four at a time, and pack each one: "
            "Extract (Redwood), then Pack (UiPath)."
        )
        self._held = await self._submit("Checksum", {"month": "2026-01"}, hold=True)
        await self._observer.reaches(self._held, "Held")
        await self._say(f"Job {self._held} was submitted on hold: it is Held until released.")
        await self._interlock.hold_queue("night", reason="backup window")
        self._night = [
            await self._submit("Checksum", {"month": month}, queue="night")
            for month in bookkeeping.MONTHS[1:4]
        ]
        for job in self._night:
            await self._observer.reaches(job, "QueueHeld")
        await self._say(
            f"The operator holds the queue night: jobs {_list(self._night)} are QueueHeld."
        )
        self._timer = await self._submit("Invoice", {"number": "I-1", "wait_for": "timer"})
        self._person = await self._submit("Invoice", {"number": "I-2", "wait_for": "person"})
        for job in (self._timer, self._person):
            await self._observer.reaches(job, "Suspended")
        await self._say(
            f"Invoice {self._timer} is Suspended for five seconds, invoice {self._person} until a "
            "person approves it. Neither holds a robot."
        )
        self._payout = await self._submit("Payout")
        await self._observer.reaches(self._payout, "Console")
        question = (await self._interlock.messages())[0]
        await self._say(
            f'Job {self._payout} asks the operator "{question.text}" and is in Console.'
        )

    # -- the crash -----------------------------------------------------------------------------

    async def _order_receipts(self) -> None:
        """Order receipts before, while and shortly after the server is dead, four at once."""

        async def order(first: int) -> None:
            for number in range(first, 1_000, _RECEIPTS_AT_ONCE):
                if self._crash_is_over.is_set():
                    return
                reference = f"{number:03d}"
                await self._submit("Receipt", {"number": reference}, reference=reference)
                await asyncio.sleep(0.15)

        await asyncio.gather(*(order(first) for first in range(_RECEIPTS_AT_ONCE)))

    async def _crash(self) -> None:
        self._stage.scene("kill -9 for the server, in the middle of everything")
        await self._observer.until(
            lambda: len(self._hashes) >= _PACKED_BEFORE_CRASH and len(self._acks.jobs_of) > 8,
            lambda: f"{len(self._hashes)} ledgers were packed",
        )
        waiting = {"Held", "QueueHeld", "Console", "Suspended"}
        jobs = (self._held, *self._night, self._person, self._payout)
        code = await self._server.program.kill()
        self._before_crash = [*self._observer.changes]
        self._standing = {job: self._observer.status(job) for job in jobs}
        strange = {*self._standing.values()} - waiting
        if strange:
            raise StoryError(f"expected jobs that wait, but some are {_list(strange)}")
        running = sum(change.to_status == "Running" for change in self._observer.latest.values())
        await self._say(
            f"The server is killed (exit code {code}) with {running} jobs running and receipts "
            "being ordered. The robots work on; the callers try again by themselves.",
            style="bold",
        )
        began = self._stage.elapsed
        await self._server.start()
        for job in jobs:
            self._found[job] = str((await self._interlock.get(job)).status)
        await self._say(
            f"It is back on the same data and port after {self._stage.elapsed - began:.1f} s, as "
            f"process {self._server.program.pid}. Job {self._payout} is still in "
            f"{self._found[self._payout]}, job {self._held} still {self._found[self._held]}."
        )
        await self._observer.until(
            lambda: (
                self._observer.revision > self._before_crash[-1].revision
                and self._observer.resumes > 0
            ),
            lambda: "the watch was not taken up again",
        )
        uncertain = sum(
            change.to_status == "Uncertain"
            for change in self._observer.changes[len(self._before_crash) :]
        )
        if uncertain:
            await self._say(
                f"The server does not pretend: {uncertain} Redwood jobs were Uncertain until their "
                "robots were back and said what they had."
            )
        self._crash_is_over.set()

    async def _go_on(self) -> None:
        self._stage.scene("The operator goes on where they stopped")
        question = (await self._interlock.messages())[0]
        self._acks.take(await self._interlock.reply(question.id, "yes"))
        await self._say('"yes", answers the operator, to the question asked before the crash.')
        self._acks.take(await self._interlock.release(self._held, reason="checked"))
        await self._interlock.release_queue("night", reason="backup is done")
        await self._say("They release the held job and the queue night.")
        for outcome in await self._interlock.fire("person", "approve-I-2", reason="approved"):
            self._acks.take(outcome)
        await self._say("A person approves the invoice; the other one wakes by its own timer.")
        jobs = (self._held, *self._night, self._timer, self._person, self._payout)
        await self._observer.ends(*jobs, *self._acks.jobs_of.values())
        for job in (self._timer, self._person):
            self._claim_path(
                f"invoice {job} was suspended and resumed",
                job,
                "Pending, Running, Suspended, Resumed, Running, Successful",
            )
        answer = _read(self._files / "payout.json").get("answer")
        self._claim(
            "a question outlives the server; the answer reaches the job",
            f"job {self._payout} {self._path(self._payout)}; it wrote down {answer!r}",
            holds=answer == "yes" and self._observer.status(self._payout) == "Completed",
        )
        held = (self._held, *self._night)
        done = sum(self._observer.status(job) == "Completed" for job in held)
        early = sum(
            "Running" in self._observer.statuses(job)[: self._index(job, "Held", "QueueHeld")]
            for job in held
        )
        self._claim(
            "what is on hold does not run before it is released",
            f"{done} of {len(held)} held jobs Completed, {early} ran before",
            holds=done == len(held) and not early,
        )
        await self._say(f"All of them are over. {self._path(self._person, 'Invoice')}.")

    def _index(self, job: int, *statuses: str) -> int:
        reached = self._observer.statuses(job)
        return max(index for index, status in enumerate(reached) if status in statuses)

    # -- the end of a robot --------------------------------------------------------------------

    async def _lose_a_robot(self) -> dict[str, int]:
        self._stage.scene("kill -9 for a robot, and nobody starts it again")
        upload = await self._submit("Upload", {"month": "2026-12"})
        await self._observer.reaches(upload, "Running")
        name = self._observer.latest[upload].robot
        jobs = {
            "upload": upload,
            "settle": await self._submit("Settle", robot=name),
            "sync": await self._submit("Sync", robot=name),
        }
        for job in jobs.values():
            await self._observer.reaches(job, "Running")
        parts = self._files / "upload"
        while len([*parts.glob("*")]) < 3:  # noqa: ASYNC110 - another process makes them
            await asyncio.sleep(0.05)
        self._survivor = next(other for other in ROBOTS if other != name)
        await self.robots[name].kill()
        await self._say(
            f"{name} is dead. It had jobs {_list(jobs.values())}. Silence alone proves nothing, so "
            "they are Running until its time to live, 5 s, is over.",
            style="bold",
        )
        return jobs

    async def _end_jobs(self) -> None:
        self._stage.scene("Meanwhile: a stop, a kill and a fault")
        inbox, crawl = await self._submit("Inbox"), await self._submit("Crawl")
        for job in (inbox, crawl):
            await self._observer.reaches(job, "Running")
        self._acks.take(await self._interlock.stop(inbox, reason="end of day"))
        await self._say(f"The operator stops job {inbox}: it may tidy up and end by itself.")
        self._acks.take(await self._interlock.kill(crawl, reason="runs away"))
        await self._say(f"They kill job {crawl}: it ends at once.")
        packed = bookkeeping.packed_path(self._files, "2026-01").read_bytes()
        (self._files / "broken.csv.gz").write_bytes(packed[: len(packed) // 2])
        broken = await self._submit("Import", {"file": "broken.csv.gz"})
        await self._observer.ends(inbox, crawl, broken)
        fault = (await self._interlock.get(broken)).fault
        said = f"{fault.code}: {fault.title}" if fault else "no reason"
        await self._say(f"Job {broken} gets half a file. It is Faulted with {said}")
        tidy = _read(self._files / "inbox.json").get("closed_tidily")
        self._claim_path(
            "a stop lets the job tidy up",
            inbox,
            "Pending, Running, Stopping, Successful",
            also=f"tidied up: {tidy}",
            holds=tidy is True,
        )
        self._claim_path("a kill ends the job", crawl, "Pending, Running, Terminating, Stopped")
        self._claim(
            "a fault keeps its reason",
            f"job {broken} {self._path(broken)}, {said}",
            holds=self._observer.status(broken) == "Faulted"
            and fault is not None
            and fault.code == "BROKEN_ARCHIVE"
            and bool(fault.title),
        )

    async def _see_the_loss(self, jobs: dict[str, int]) -> None:
        self._stage.scene("What became of the dead robot's jobs")
        upload, settle, sync = jobs["upload"], jobs["settle"], jobs["sync"]
        await self._observer.reaches(settle, "Uncertain")
        await self._say(
            f"Job {settle} (Redwood) is Uncertain: its robot may still run it. It is given 4 s."
        )
        await self._observer.ends(settle, sync, upload)
        await self._say(
            f"Nobody came back: job {settle} is {self._observer.status(settle)}. Job {sync} "
            f"(UiPath, policy fault) is {self._observer.status(sync)}. Job {upload} (UiPath, "
            f"policy rerun) was given to {self._survivor} and is {self._observer.status(upload)}."
        )
        self._claim_path(
            "Redwood: a lost job is Uncertain, then Unknown",
            settle,
            "New, Scheduled, Queued, Dispatched, Assigned, Running, Uncertain, Unknown",
        )
        fault = (await self._interlock.get(sync)).fault
        code = fault.code if fault else ""
        self._claim_path(
            "UiPath, policy fault: a lost job is Faulted",
            sync,
            "Pending, Running, Faulted",
            also=code,
            holds=code == "ROBOT_LOST",
        )
        self._claim_rerun(await self._interlock.get(upload))

    def _claim_rerun(self, job: Job) -> None:
        source = bookkeeping.packed_path(self._files, "2026-12")
        same = bookkeeping.sha256_of(self._files / "uploaded.gz") == bookkeeping.sha256_of(source)
        sent = (job.result or {}).get("sent_by_this_attempt", 0)
        self._claim(
            "UiPath, policy rerun: another robot finishes a lost job",
            f"job {job.id} {job.status} on {job.robot} as attempt {job.raw.fence}; it sent the "
            f"{sent} of {UPLOAD_PARTS} parts that were missing; hashes agree: {same}",
            holds=job.status == "Successful"
            and job.robot == self._survivor
            and job.raw.fence == 2
            and 0 < sent < UPLOAD_PARTS
            and same,
        )

    # -- the end -------------------------------------------------------------------------------

    async def _sum_up(self) -> None:
        self._stage.scene("The report, and the books of the server")
        report = await self._submit("Report", {"sha256": self._hashes})
        await self._observer.ends(report)
        found = await self._interlock.get(report)
        if found.status != "Completed":
            raise StoryError(f"expected the report, but {found}: {found.info}")
        await self._say(
            f"Job {report} checked {len(self._hashes)} hashes and summed the year: "
            f"{found.result['total_cents'] / 100:,.2f}."
        )
        await self._observer.ends(*self._observer.latest)
        self._claims += await judge(
            Evidence(
                self._interlock,
                self._observer,
                self._acks,
                self._files,
                self._before_crash,
                self._standing,
                self._found,
            )
        )
        await self._verify()

    async def _verify(self) -> None:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "interlock", "verify", "--address", self._server.address),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(_VERIFY_SECONDS):
                output, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise StoryError(f"`interlock verify` took more than {_VERIFY_SECONDS:g} s") from None
        words = output.decode(errors="replace").strip()
        await self._say(f"interlock verify: {words}")
        self._claim(
            "the journal replays to what the server has",
            f"interlock verify: exit code {process.returncode}, {words.partition(':')[0]}",
            holds=process.returncode == 0 and words.startswith("clean"),
        )

    # -- claims --------------------------------------------------------------------------------

    def _claim(self, promise: str, observed: str, *, holds: bool) -> None:
        self._claims.append(Claim(promise, observed, holds))

    def _claim_path(
        self, promise: str, job: int, path: str, *, also: str = "", holds: bool = True
    ) -> None:
        seen = ", ".join(self._observer.statuses(job))
        observed = f"job {job} {self._path(job)}" + (f"; {also}" if also else "")
        self._claim(promise, observed, holds=holds and seen == path)

    def _path(self, job: int, name: str = "") -> str:
        return f"{name} ".lstrip() + " > ".join(self._observer.statuses(job))


def _list(items: Any) -> str:
    return ", ".join(str(item) for item in items)


def _read(path: Path) -> dict[str, Any]:
    """Return what a job wrote; nothing if it wrote nothing."""
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found
