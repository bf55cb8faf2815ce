"""Real servers that are killed, stopped, starved of their disk and told lies."""

from __future__ import annotations
