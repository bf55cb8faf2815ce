"""Settings that hold for every test."""

from __future__ import annotations

from hypothesis import settings

# No deadline: how long an example takes says more about the machine than about the code.
settings.register_profile("interlock", deadline=None, print_blob=True)
settings.load_profile("interlock")
