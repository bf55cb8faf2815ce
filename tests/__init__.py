"""The tests; a package, so that no installed package of this name can come before it."""

from __future__ import annotations
