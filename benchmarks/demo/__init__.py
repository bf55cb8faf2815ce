"""The demonstration: a server, two robots, an operator and a watcher; then things are killed.

`make demo` runs it. Whatever it claims at the end it has computed from what it saw.
"""

from __future__ import annotations
