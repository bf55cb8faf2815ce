"""The pure core: what may happen to a job and what follows, with no I/O, clock or randomness.

Everything here is a function of its arguments, so that recovery, tests and the simulation run the
same code as the live server.
"""

from __future__ import annotations
