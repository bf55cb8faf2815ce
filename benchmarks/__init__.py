"""Measurements and the demonstration; a package, so that no installed one can come before it."""

from __future__ import annotations
