"""The Interlock server: keeps the status of every job true, legal and durable.

The package itself holds nothing; start at `core/vocabulary` for what exists and at `engine` for
how a change is decided, committed and published.
"""

from __future__ import annotations

from importlib.metadata import version

#: Version of the distribution that is installed.
__version__ = version("interlock")
