"""The operator's command line, `interlock`. It is a client: it reaches the server by grpc only.

`interlock serve` is the exception that proves it: it is found through an entry point, by name.
"""

from __future__ import annotations

from typing import NoReturn


def main() -> NoReturn:
    """Run the command line of this process and end the process with its exit code."""
    import sys

    from interlock.cli.program import run

    sys.exit(run(sys.argv[1:]))
