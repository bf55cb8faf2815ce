"""What becomes of a workload on a server: which job each record is, and how it has to end.

An application of the log is a definition, a queue is a queue, interactive queues go first, and who
ran it with how many processors stands in the labels.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from benchmarks.swf import Record, Workload

LIFECYCLES: Final = ("uipath", "redwood")
#: The status in which a job ends, by lifecycle and by what the log says of it.
EXPECTED: Final = {
    "uipath": {"completed": "Successful", "failed": "Faulted", "canceled": "Stopped"},
    "redwood": {"completed": "Completed", "failed": "Error", "canceled": "Canceled"},
}
#: Applications with a definition of their own; those of the others share one.
DEFINITIONS_MAX: Final = 2_000
_PRIORITY: Final = 50
#: The format gives the number 0 to interactive queues.
_INTERACTIVE: Final = 0
_INTERACTIVE_PRIORITY: Final = 80
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Plan:
    """The jobs to submit, in order. Every name begins with `prefix`, so that runs do not meet."""

    records: list[Record]
    lifecycle: str
    prefix: str
    definitions: list[str]
    queues: list[str]
    specs: list[dict[str, Any]]

    def expected(self, index: int) -> str:
        """Return the status in which a job has to end."""
        return EXPECTED[self.lifecycle][self.records[index].outcome]

    def definition_fields(self) -> list[dict[str, Any]]:
        """Return the definitions to put before."""
        return [{"name": name, "lifecycle": self.lifecycle} for name in self.definitions]


def make_plan(workload: Workload, *, lifecycle: str, prefix: str, jobs_max: int | None) -> Plan:
    """Plan the first jobs of a workload, or all."""
    records = workload.records[:jobs_max]
    counted = Counter(record.application for record in records)
    own = {number for number, _ in counted.most_common(DEFINITIONS_MAX)}
    specs = [_spec(record, workload, prefix, own) for record in records]
    return Plan(
        records,
        lifecycle,
        prefix,
        sorted({spec["definition"] for spec in specs}),
        sorted({spec["queue"] for spec in specs}),
        specs,
    )


def _spec(record: Record, workload: Workload, prefix: str, own: set[int]) -> dict[str, Any]:
    application = record.application if record.application in own else "other"
    name = workload.queue_names.get(record.queue, "none" if record.queue < 0 else record.queue)
    queue = _NOT_IN_NAMES.sub("-", str(name))[:64]
    interactive = record.queue == _INTERACTIVE
    return {
        "definition": f"{prefix}.app-{application}".replace("--1", "-none"),
        "queue": f"{prefix}.queue-{queue}",
        "priority": _INTERACTIVE_PRIORITY if interactive else _PRIORITY,
        "parameters": {"run_s": record.run_s, "outcome": record.outcome},
        "labels": {
            "user": str(record.user),
            "group": str(record.group),
            "processors": str(record.processors),
        },
        "reference": f"swf {record.number}",
    }
