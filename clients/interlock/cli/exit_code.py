"""What the exit codes mean. Scripts rely on them: they are added to, never changed."""

from __future__ import annotations

from typing import Final

#: It was done.
OK: Final = 0
#: It failed for a reason that has no code of its own, or some jobs did and others did not.
FAILURE: Final = 1
#: The command or a value in it was wrong; the same command fails again.
USAGE: Final = 2
#: No such job, message, definition, queue, robot, partition or lifecycle.
NOT_FOUND: Final = 3
#: Not legal now: an illegal transition, a final job, a changed revision, something still in use.
REFUSED: Final = 4
#: The server could not be reached, was overloaded, or the time was over.
UNAVAILABLE: Final = 5
#: Ended by Ctrl-C, as shells count it.
INTERRUPTED: Final = 130
#: Whoever read the output went away, as shells count it.
OUTPUT_CLOSED: Final = 141

#: The end of --help.
EPILOG: Final = """\b
Exit codes:
  0    done
  1    failed, or only some of the jobs were changed
  2    wrong command or wrong value
  3    not found
  4    refused: illegal transition, already final, changed since, still in use
  5    server unavailable or overloaded, or time over
  130  ended by Ctrl-C

\b
Every setting: flag, then environment (INTERLOCK_ADDRESS, ...), then configuration
file, then default. `interlock config show` prints them with their origin."""
