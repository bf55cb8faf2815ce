"""What tests share: clocks moved by hand, journals in memory, fakes, readers of the sources."""

from __future__ import annotations
