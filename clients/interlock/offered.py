"""Offered: what everything that a robot runs for a job knows about that job."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from interlock import json_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interlock.client import Interlock
    from interlock.v1.robot_service_pb2 import Offer


class Offered:
    """One attempt of a job, as it was offered."""

    def __init__(self, offer: Offer, interlock: Interlock) -> None:
        self._offer = offer
        #: A connection to the same partition, for submitting other jobs and the like.
        self.interlock = interlock

    @property
    def id(self) -> int:
        """Id of the job."""
        return self._offer.job

    @property
    def fence(self) -> int:
        """Number of this attempt; give it to systems that have to refuse older attempts."""
        return self._offer.fence

    @property
    def definition(self) -> str:
        """Name of the definition."""
        return self._offer.definition

    @property
    def queue(self) -> str:
        """Queue that the job came from."""
        return self._offer.queue

    @property
    def labels(self) -> Mapping[str, str]:
        """Labels of the job."""
        return self._offer.labels

    @cached_property
    def parameters(self) -> Any:
        """Inputs of the job, a dict."""
        return json_text.decode(self._offer.parameters_json or "{}")
