"""Keeps what was decided: the journal of commits, the snapshot of live objects, the archive.

Start at `port`, which says what the layers above may rely on; `journal` is its SQLite
implementation. Nothing outside this package knows SQLite.
"""

from __future__ import annotations
