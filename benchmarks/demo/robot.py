"""A robot of the demonstration: `python -m benchmarks.demo.robot ADDRESS NAME FOLDER`.

Its handlers do small but real work on files in FOLDER, slowly enough to be watched.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.demo import bookkeeping
from interlock import Robot, Run, SyncRun

if TYPE_CHECKING:
    from interlock.ending import Ending

SLOTS: Final = 8
UPLOAD_PARTS: Final = 40
#: Longer than the demonstration takes: these jobs only end when somebody ends them.
_ENDLESS_SECONDS: Final = 300


def make_robot(address: str, name: str, folder: Path) -> Robot:
    """Return a robot that can do everything the demonstration asks for."""
    robot = Robot(address, name=name, slots=SLOTS, grace=1)
    _add_ledger_work(robot, folder)
    _add_office_work(robot, folder)
    _add_long_work(robot, folder)
    return robot


def _add_ledger_work(robot: Robot, folder: Path) -> None:
    @robot.job("Extract")
    async def extract(run: Run) -> Ending:
        month = run.parameters["month"]
        text = ""
        for part in bookkeeping.ledger_slices(month):
            text += part
            await asyncio.sleep(0.45)
        bookkeeping.replace(bookkeeping.ledger_path(folder, month), text.encode())
        return run.result(rows=len(text.splitlines()), cents=bookkeeping.total_cents(text))

    @robot.job("Pack")
    def pack(run: SyncRun) -> Ending:
        time.sleep(0.5)
        return run.result(**bookkeeping.pack(folder, run.parameters["month"]))

    @robot.job("Checksum")
    def checksum(run: SyncRun) -> Ending:
        path = bookkeeping.ledger_path(folder, run.parameters["month"])
        digest = bookkeeping.sha256_of(path)
        path.with_suffix(".sha256").write_text(f"{digest}  {path.name}\n")
        return run.result(sha256=digest)

    @robot.job("Report")
    def report(run: SyncRun) -> Ending:
        months: dict[str, dict[str, Any]] = {}
        for month, expected in run.parameters["sha256"].items():
            path = bookkeeping.packed_path(folder, month)
            digest = bookkeeping.sha256_of(path)
            if digest != expected:
                return run.failed("WRONG_HASH", f"{path.name} is not what was packed")
            text = bookkeeping.unpack(path)
            months[month] = {"sha256": digest, "cents": bookkeeping.total_cents(text)}
        total = sum(each["cents"] for each in months.values())
        bookkeeping.write_json(folder / "report.json", {"months": months, "total_cents": total})
        return run.result(total_cents=total)

    @robot.job("Import")
    def import_(run: SyncRun) -> Ending:
        path = folder / run.parameters["file"]
        try:
            text = bookkeeping.unpack(path)
        except bookkeeping.BrokenArchiveError as error:
            return run.failed("BROKEN_ARCHIVE", f"{path.name} cannot be read: {error}")
        return run.result(rows=len(text.splitlines()))


def _add_office_work(robot: Robot, folder: Path) -> None:
    @robot.job("Receipt")
    def receipt(run: SyncRun) -> Ending:
        # "x": a second execution of the same job would be refused by the file system.
        with (folder / f"receipt-{run.parameters['number']}.txt").open("x") as file:
            file.write(f"job {run.id}\n")
        return run.result()

    @robot.job("Payout")
    async def payout(run: Run) -> Ending:
        answer = await run.ask("Pay the salaries of December?", choices=["yes", "no"])
        bookkeeping.write_json(folder / "payout.json", {"answer": answer})
        return run.result(answer=answer)

    @robot.job("Invoice")
    async def invoice(run: Run) -> Ending:
        number = run.parameters["number"]
        if run.resume_version == 0:
            draft = {"number": number, "cents": 119_00}
            if run.parameters["wait_for"] == "timer":
                await run.suspend(until=timedelta(seconds=5), save=draft)
            await run.suspend(person=f"approve-{number}", save=draft)
        bookkeeping.write_json(folder / f"invoice-{number}.json", run.saved)
        return run.result(**run.saved)


def _add_long_work(robot: Robot, folder: Path) -> None:
    @robot.job("Inbox")
    async def inbox(run: Run) -> Ending:
        seen = 0
        while not run.should_stop:
            seen += 1
            await asyncio.sleep(0.1)
        bookkeeping.write_json(folder / "inbox.json", {"closed_tidily": True, "mails": seen})
        return run.result(mails=seen)

    @robot.job("Crawl")
    async def crawl(run: Run) -> Ending:
        await asyncio.sleep(_ENDLESS_SECONDS)
        return run.result()

    @robot.job("Settle")
    async def settle(run: Run) -> Ending:
        await asyncio.sleep(_ENDLESS_SECONDS)
        return run.result()

    @robot.job("Sync")
    async def sync(run: Run) -> Ending:
        await asyncio.sleep(_ENDLESS_SECONDS)
        return run.result()

    @robot.job("Upload")
    async def upload(run: Run) -> Ending:
        # The first line is slow, so that its robot can be killed half-way; a later attempt goes on
        # with the parts that are missing.
        pause = 0.5 if run.fence == 1 else 0.02
        source = bookkeeping.packed_path(folder, run.parameters["month"]).read_bytes()
        target = folder / "upload"
        target.mkdir(exist_ok=True)
        size = -(-len(source) // UPLOAD_PARTS)
        sent = 0
        for number in range(UPLOAD_PARTS):
            part = target / f"{number:03d}"
            if not part.exists():
                bookkeeping.replace(part, source[number * size : (number + 1) * size])
                sent += 1
                await asyncio.sleep(pause)
        _join(target, folder / "uploaded.gz")
        return run.result(attempt=run.fence, sent_by_this_attempt=sent)


def _join(parts: Path, target: Path) -> None:
    with target.open("wb") as file:
        for part in sorted(parts.glob("[0-9]*[0-9]")):
            with part.open("rb") as source:
                shutil.copyfileobj(source, file)


def definitions() -> list[dict[str, Any]]:
    """Return what the catalog has to know of the jobs above."""
    redwood: dict[str, dict[str, Any]] = {
        "Extract": {"queue": "ledger", "description": "write the ledger of a month"},
        "Checksum": {"description": "write the hash of a ledger beside it"},
        "Report": {"description": "check the hashes and sum the year"},
        "Receipt": {"description": "write a receipt, once"},
        "Payout": {"description": "pay salaries, if an operator says so"},
        "Settle": {"description": "settle accounts", "uncertain_timeout": 4.0},
    }
    uipath: dict[str, dict[str, Any]] = {
        "Pack": {"description": "compress the ledger of a month"},
        "Invoice": {"description": "write an invoice once it may be written"},
        "Inbox": {"description": "read mail until told to stop"},
        "Crawl": {"description": "crawl a site without end"},
        "Import": {"description": "read a packed ledger"},
        "Upload": {"description": "send a file in parts", "on_robot_loss": "rerun"},
        "Sync": {"description": "mirror a system", "on_robot_loss": "fault"},
    }
    return [
        {"name": name, "lifecycle": lifecycle, **fields}
        for lifecycle, group in (("redwood", redwood), ("uipath", uipath))
        for name, fields in group.items()
    ]


if __name__ == "__main__":
    make_robot(sys.argv[1], sys.argv[2], Path(sys.argv[3])).serve()
