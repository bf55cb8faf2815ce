"""Load on etcd: jobs go from one status to another and back, each with a key of history.

A transaction compares the value of a job's key, puts the new one and a key that nobody had before;
for one job, or for a hundred that move together or not at all.
"""

from __future__ import annotations

import asyncio
import time
import urllib.request
from typing import Any, Final

import grpc

from benchmarks import load_process
from benchmarks.peers import etcd_messages as api
from benchmarks.peers.etcd import form
from benchmarks.peers.rounds import serve

JOBS: Final = 10_000
SINGLE_IN_FLIGHT: Final = (64,)
BATCHES_IN_FLIGHT: Final = (1, 2, 4, 8, 16, 32)
_STATUSES: Final = (b"0", b"1")
_HISTORY: Final = b"history/"
_HISTORY_END: Final = b"history0"
_SYNCS: Final = "etcd_disk_wal_fsync_duration_seconds_count"
_FILLED_AT_ONCE: Final = 100

_Txn: Final = api.message("TxnRequest")
_Range: Final = api.message("RangeRequest")
_Status: Final = api.message("StatusRequest")


class NotMoved(Exception):  # noqa: N818 - says what is
    """A transaction found another status than the job had to have."""


class EtcdLoad:
    """One channel to one server and what the jobs' statuses are by now."""

    def __init__(self, channel: grpc.aio.Channel, address: str, *, batch: int) -> None:
        self._address = address
        self._batch = batch
        self._txn = _method(channel, api.TXN, _Txn, "TxnResponse")
        self._range = _method(channel, api.RANGE, _Range, "RangeResponse")
        self._status = _method(channel, api.STATUS, _Status, "StatusResponse")
        self._batches = [range(start, start + batch) for start in range(0, JOBS, batch)]
        #: How often each batch has moved: its status, and the name of its next history.
        self._moves = [0] * len(self._batches)
        self._at_once = 1

    @property
    def choices(self) -> tuple[int, ...]:
        """Numbers of transactions in flight to try."""
        return SINGLE_IN_FLIGHT if self._batch == 1 else BATCHES_IN_FLIGHT

    async def fill(self) -> None:
        """Make the jobs."""
        for start in range(0, JOBS, _FILLED_AT_ONCE):
            request = _Txn()
            for job in range(start, start + _FILLED_AT_ONCE):
                _put(request, b"job/%d" % job, _STATUSES[0])
            await self._txn(request)

    async def prepare(self, at_once: int) -> None:
        """Have so many transactions in flight from now on."""
        self._at_once = at_once

    async def run(self, seconds: float) -> int:
        """Move jobs until the time is over; returns how many transitions were durable."""
        until = time.monotonic() + seconds
        moved = (self._move(until, number) for number in range(self._at_once))
        return sum(await asyncio.gather(*moved))

    async def _move(self, until: float, number: int) -> int:
        mine = range(number, len(self._batches), self._at_once)
        turns = position = 0
        while time.monotonic() < until:
            index = mine[position]
            answer = await self._txn(self._request(index))
            if not answer.succeeded:
                raise NotMoved(f"jobs {self._batches[index]} did not have their status")
            self._moves[index] += 1
            turns += 1
            position = (position + 1) % len(mine)
        return turns * self._batch

    def _request(self, index: int) -> Any:
        moves = self._moves[index]
        expected, target = _STATUSES[moves % 2], _STATUSES[1 - moves % 2]
        request = _Txn()
        for job in self._batches[index]:
            key = b"job/%d" % job
            request.compare.add(result=api.EQUAL, target=api.TARGET_VALUE, key=key, value=expected)
            _put(request, key, target)
            _put(request, b"%s%d/%d" % (_HISTORY, job, moves), expected + target)
        return request

    async def count(self) -> int:
        """Return how many keys the history has."""
        everything = _Range(key=_HISTORY, range_end=_HISTORY_END, count_only=True)
        return int((await self._range(everything)).count)

    async def describe(self) -> dict[str, str]:
        """Return name and durability as the server says them."""
        flight = f"{self._at_once} in flight"
        version = (await self._status(_Status())).version
        return {
            "name": f"etcd {version} through grpc.aio, {form(self._batch)}, {flight}",
            "durability": "fsync of the write-ahead log before each answer "
            f"({self._syncs():,} of them in the warm-up)",
        }

    def _syncs(self) -> int:
        with urllib.request.urlopen(f"http://{self._address}/metrics") as answer:
            lines = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines())
        return int(lines[_SYNCS])


def _method(channel: grpc.aio.Channel, path: str, request: Any, response: str) -> Any:
    return channel.unary_unary(
        path,
        request_serializer=request.SerializeToString,
        response_deserializer=api.message(response).FromString,
    )


def _put(request: Any, key: bytes, value: bytes) -> None:
    put = request.success.add().request_put
    put.key, put.value = key, value


async def main() -> None:
    """Make the jobs, find the best number in flight, then move jobs for each line."""
    lines = load_process.orders()
    task = await anext(lines)
    address = task["address"]
    options = (("grpc.enable_http_proxy", 0),)
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        load = EtcdLoad(channel, address, batch=task["batch"])
        await load.fill()
        await serve(load, lines, choices=load.choices, trial=task["trial_seconds"])


if __name__ == "__main__":
    load_process.run(main())
