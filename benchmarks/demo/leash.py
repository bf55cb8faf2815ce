"""Runs a module that dies with its parent: `python -m benchmarks.demo.leash MODULE ARG...`.

So a demonstration that is itself killed leaves no process behind. It only works on Linux;
elsewhere the module just runs.
"""

from __future__ import annotations

import ctypes
import os
import runpy
import signal
import sys
from typing import Final

_SET_PARENT_DEATH_SIGNAL: Final = 1


def main() -> None:
    """Run the module named first with the arguments that follow."""
    parent = int(os.environ.get("DEMO_PARENT", "0"))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if parent and os.getppid() != parent:
            sys.exit("the demonstration ended before this program began")
    module, *arguments = sys.argv[1:]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
