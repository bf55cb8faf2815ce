"""Watches of the SDK in a process of its own, which a test can stop and continue.

`python -m tests.support.watch_process ADDRESS COUNT` opens so many, each with connections of its
own, and says who saw which revision: the number of the watch and the revision, in a line for each.
"""

from __future__ import annotations

import asyncio
import sys

from interlock import connect


async def watch(address: str, number: int) -> None:
    """Watch until killed."""
    async with connect(address) as interlock, interlock.watch(from_revision=0) as changes:
        async for change in changes:
            sys.stdout.write(f"{number} {change.revision}\n")
            sys.stdout.flush()


async def watch_all(address: str, count: int) -> None:
    """Open so many watches."""
    await asyncio.gather(*(watch(address, number) for number in range(count)))


if __name__ == "__main__":
    asyncio.run(watch_all(sys.argv[1], int(sys.argv[2])))
