"""Chance, as something that is handed in. Nothing else of the server makes up a name."""

from __future__ import annotations

import secrets


class IdSource:
    """Makes names that nobody can guess and nobody else makes."""

    def token(self) -> str:
        """22 characters of A-Z a-z 0-9 _ - that stand for 128 random bits."""
        return secrets.token_urlsafe(16)

    def history_id(self) -> str:
        """32 hex digits that stand for 128 random bits."""
        return secrets.token_hex(16)
