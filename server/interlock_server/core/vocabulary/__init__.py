"""The words of both lifecycles: statuses, triggers, actors, and which transitions exist.

Pure data. `uipath` and `redwood` hold the tables; `lifecycle` derives everything else from them.
Numbers given here are stored on disk and sent on the wire: they are added to, never changed.
"""

from __future__ import annotations
