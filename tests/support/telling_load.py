"""A load process that says what it is and starts a child that would never end by itself."""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks import load_process


async def main() -> None:
    lines = load_process.orders()
    await anext(lines)
    child = subprocess.Popen(  # noqa: ASYNC220 - it only has to be there
        [sys.executable, "-c", "import signal; signal.pause()"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # else its parent's end would not be seen before its own
    )
    load_process.say(pids=[os.getpid(), child.pid], environment=dict(os.environ))
    async for _ in lines:
        pass


if __name__ == "__main__":
    load_process.run(main())
