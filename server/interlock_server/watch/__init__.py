"""Lets any number of watchers read what was committed, each at its own pace.

Start at `history`: commits are kept once, and a watcher is a `Cursor`, a number. `filter` selects
changes by their columns and shares the result among equal filters.
"""

from __future__ import annotations
