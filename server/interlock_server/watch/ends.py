"""Why a watch cannot begin or go on. A third way is `Compacted`, which storage knows of too."""

from __future__ import annotations

from interlock_server.core.compacted import Compacted

__all__ = ["Compacted", "HistoryClosed", "RevisionInFuture"]


class RevisionInFuture(Exception):  # noqa: N818 - the reason's name in the API
    """The asked revision does not exist yet."""

    def __init__(self, asked: int, head_revision: int) -> None:
        super().__init__(
            f"expected a revision up to {head_revision}, the newest one, but got {asked}; was the "
            f"partition restored from a backup? Then list the jobs and watch from there"
        )
        self.head_revision = head_revision


class HistoryClosed(Exception):  # noqa: N818 - says what is, not that something broke
    """The server is going away; a watch can be resumed elsewhere from `resume_revision`."""

    def __init__(self, resume_revision: int) -> None:
        super().__init__(f"the history was closed; resume from revision {resume_revision}")
        self.resume_revision = resume_revision
