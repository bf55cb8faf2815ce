"""The whole table of bad inputs outside of sessions."""

from __future__ import annotations

from typing import Final

from tests.support.bad_inputs.by_field import by_field
from tests.support.bad_inputs.of_catalog import of_catalog
from tests.support.bad_inputs.of_chains import of_chains
from tests.support.bad_inputs.of_events import of_events
from tests.support.bad_inputs.of_jobs import of_jobs
from tests.support.bad_inputs.of_media import of_media
from tests.support.bad_inputs.of_robots import of_robots
from tests.support.bad_inputs.of_servers import of_servers
from tests.support.bad_inputs.of_verbs import of_verbs
from tests.support.bad_inputs.of_watches import of_watches
from tests.support.bad_inputs.of_windows import of_windows
from tests.support.bad_inputs.row import BadInput

BAD_INPUTS: Final[tuple[BadInput, ...]] = (
    *by_field(),
    *of_jobs(),
    *of_verbs(),
    *of_catalog(),
    *of_chains(),
    *of_robots(),
    *of_media(),
    *of_servers(),
    *of_events(),
    *of_watches(),
    *of_windows(),
)
