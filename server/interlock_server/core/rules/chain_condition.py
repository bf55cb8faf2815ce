"""What preconditions and status handlers of a chain read, and what they say (domain.md B9, R22)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from interlock_server.core import calendar
from interlock_server.core.expression import Gives, compile_expression, is_true
from interlock_server.core.model.job import Role
from interlock_server.core.vocabulary.status import IS_FINAL, STATUS_NAME, Status
from interlock_server.core.vocabulary.variable import HANDLER, PRECONDITION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from interlock_server.core.expression import Compiled
    from interlock_server.core.model.job import Job
    from interlock_server.core.world import World


@dataclass(frozen=True, slots=True)
class ChainValues:
    """The values of one decision; what several expressions read is put together once."""

    world: World
    chain: Job
    iteration: int
    now_ms: int
    #: Steps that were read, by name.
    steps: dict[str, Any] = field(default_factory=dict)

    def precondition(self, text: str, executions: Iterable[int]) -> bool:
        """Whether a step or call that had these earlier runs is to run.

        Raises:
            ExpressionFault: it cannot be told.
        """
        compiled = compile_expression(text, variables=PRECONDITION, gives=Gives.CONDITION)
        values = self._read(compiled)
        if "run_again" in compiled.reads:
            runs = (self.world.jobs.get(each) for each in executions)
            values["run_again"] = not any(
                run is not None and run.status == Status.REDWOOD_COMPLETED for run in runs
            )
        return is_true(compiled, values)

    def handler(self, text: str, step: str) -> bool:
        """Whether a status handler applies to the step that has ended.

        Raises:
            ExpressionFault: it cannot be told.
        """
        compiled = compile_expression(text, variables=HANDLER, gives=Gives.CONDITION)
        return is_true(compiled, {**self._read(compiled), "step": step})

    def _read(self, compiled: Compiled) -> dict[str, Any]:
        reads, chain = compiled.reads, self.chain
        about: dict[str, Any] = {"id": chain.id, "definition": chain.definition}
        about["iteration"] = self.iteration
        if "chain.parameters" in reads:
            about["parameters"] = msgspec.json.decode(chain.parameters)
        values: dict[str, Any] = {"chain": about, "now": self.now_ms}
        if "windows" in reads:
            values["windows"] = self._windows(reads["windows"] or frozenset())
        if "steps" in reads:
            values["steps"] = self._read_steps(reads["steps"])
        return values

    def _windows(self, names: frozenset[str]) -> dict[str, bool]:
        definition = self.world.definitions.get(self.chain.definition)
        zone = (definition.time_zone if definition is not None else "") or "UTC"
        windows = self.world.windows
        return {name: calendar.is_open(windows, name, self.now_ms, zone) for name in names}

    def _read_steps(self, names: frozenset[str] | None) -> Mapping[str, Any]:
        assert self.chain.chain is not None, "only a chain has steps"
        known = self.steps
        for step in self.chain.chain.steps:
            if step.name not in known and (names is None or step.name in names):
                known[step.name] = self._read_step(step.name)
        return known

    def _read_step(self, name: str) -> dict[str, Any]:
        world = self.world
        step = world.jobs[world.steps[self.chain.id, name]]
        calls: dict[str, Any] = {}
        for call_id in world.children.get(step.id, ()):
            call = world.jobs[call_id]
            if call.role is Role.CALL:
                known = IS_FINAL[call.status]
                calls[call.call] = {
                    "status": STATUS_NAME[call.status],
                    "return_code": call.return_code if known else None,
                    "result": msgspec.json.decode(call.result) if call.result else None,
                }
        return {"status": STATUS_NAME[step.status], "calls": calls}
