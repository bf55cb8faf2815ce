"""The server, made slower on purpose: `python -m tests.benchmarks.slowed_server ...`.

A guard that never failed proves nothing. Only this launcher reads SLOWED_SERVER_TIMES; with each
commit the server then burns so many times the processor time that it has taken since the last one.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any, Final

from interlock_server import __main__ as program
from interlock_server.partition import Partition

ENVIRONMENT: Final = "SLOWED_SERVER_TIMES"


def slow_down(times: float) -> None:
    """Let everything between two commits cost so many times more."""
    real, last = Partition.publish, time.thread_time()

    def publish(self: Partition, group: Any) -> None:
        nonlocal last
        now = time.thread_time()
        until = now + times * (now - last)
        while (last := time.thread_time()) < until:
            pass
        real(self, group)

    Partition.publish = publish  # type: ignore[method-assign]


if __name__ == "__main__":
    slow_down(float(os.environ[ENVIRONMENT]))
    sys.exit(program.main())
