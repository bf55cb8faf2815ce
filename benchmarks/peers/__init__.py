"""Other systems that keep the state of jobs, each run by itself as a comparison."""

from __future__ import annotations
