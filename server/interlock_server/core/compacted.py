"""The one thing that storage and watch both have to say: a revision is gone."""

from __future__ import annotations


class Compacted(Exception):  # noqa: N818 - the word of the glossary
    """Changes after the asked revision were dropped; `oldest_revision` can be resumed from."""

    def __init__(self, oldest_revision: int) -> None:
        super().__init__(
            f"expected a revision of at least {oldest_revision}, because older changes were "
            f"dropped; list the jobs and watch from the revision of that list"
        )
        self.oldest_revision = oldest_revision
