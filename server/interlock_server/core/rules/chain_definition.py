"""What is wrong with the definition of a chain; it is refused when it is put.

Later changes can still make a chain too large, which is refused when it is submitted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock_server.core.expression import Gives, compile_expression
from interlock_server.core.expression_fault import ExpressionFault
from interlock_server.core.model.chain import HandledStatus, HandlerAction
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.rules import expansion
from interlock_server.core.vocabulary.status import Lifecycle
from interlock_server.core.vocabulary.variable import HANDLER, PRECONDITION

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from interlock_server.core.model.chain import Call, StatusHandler
    from interlock_server.core.model.definition import Definition
    from interlock_server.core.world import World

_RESTARTS: Final = {
    HandlerAction.RESTART_STEP,
    HandlerAction.RESTART_FAILED,
    HandlerAction.RESTART_CHAIN,
}


def refusal(
    world: World, definition: Definition, definitions: Mapping[str, Definition]
) -> Rejection | None:
    """Say what is wrong with a chain; `definitions` are all as they will be."""
    if definition.chain is None:
        return None
    if definition.lifecycle != Lifecycle.REDWOOD:
        return Rejection(
            Reason.WRONG_LIFECYCLE,
            f"{definition.name!r} is of lifecycle uipath, which has no chains",
        )
    for problem in (
        *_parts(definition),
        *_handlers(definition),
        *_calls(world, definition, definitions),
        *_expressions(world, definition),
    ):
        return problem
    return _nesting(definition, definitions)


def _invalid(definition: Definition, problem: str) -> Rejection:
    return Rejection(Reason.INVALID_CHAIN, f"chain {definition.name!r}: {problem}")


def _parts(definition: Definition) -> Iterator[Rejection]:
    assert definition.chain is not None, "asked about a chain"
    steps = [step.name for step in definition.chain.steps]
    if not steps:
        yield _invalid(definition, "expected at least one step, but it has none")
    if twice := _twice(steps):
        yield _invalid(definition, f"expected different names of steps, but two are {twice!r}")
    for step in definition.chain.steps:
        if twice := _twice([call.name for call in step.calls]):
            yield _invalid(
                definition,
                f"expected different names of calls, but two of step {step.name!r} are {twice!r}",
            )


def _twice(names: list[str]) -> str:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return ""


def _all_handlers(definition: Definition) -> Iterator[tuple[str, StatusHandler]]:
    assert definition.chain is not None, "asked about a chain"
    for step in definition.chain.steps:
        for handler in step.handlers:
            yield f"a handler of step {step.name!r}", handler
    for handler in definition.chain.handlers:
        yield "a handler of the chain", handler


def _handlers(definition: Definition) -> Iterator[Rejection]:
    assert definition.chain is not None, "asked about a chain"
    if definition.chain.request_restart and definition.chain.handlers:
        yield _invalid(definition, "expected no handlers of its own together with request_restart")
    steps = {step.name for step in definition.chain.steps}
    for where, handler in _all_handlers(definition):
        goes = handler.action is HandlerAction.GO_TO_STEP
        if goes and handler.step not in steps:
            names = ", ".join(sorted(steps)[:20])
            problem = f"there is no step {handler.step!r}, which {where} goes to (steps: {names})"
            yield _invalid(definition, problem)
        if handler.step and not goes:
            yield _invalid(
                definition, f"expected {where} to name no step, which is for go to step only"
            )
        asks = handler.action is HandlerAction.REQUEST_RESTART
        if asks and handler.on is HandledStatus.COMPLETED:
            yield _invalid(
                definition,
                f"expected {where} to ask after a failure, but it asks after completion",
            )
        if (handler.delay_ms or handler.latest) and handler.action not in _RESTARTS:
            problem = (
                f"expected {where} to have no delay and not the latest definition: only restarts do"
            )
            yield _invalid(definition, problem)


def _calls(
    world: World, definition: Definition, definitions: Mapping[str, Definition]
) -> Iterator[Rejection]:
    for where, call in _all_calls(definition):
        called = definitions.get(call.definition)
        if called is None:
            yield Rejection(
                Reason.DEFINITION_NOT_FOUND,
                f"chain {definition.name!r}: there is no definition {call.definition!r}, which"
                f" {where} runs; put it first, or in the same request",
            )
        elif called.lifecycle != Lifecycle.REDWOOD:
            yield _invalid(
                definition,
                f"expected {where} to run a Redwood definition, but {call.definition!r} is of"
                " lifecycle uipath",
            )
        if call.queue and call.queue not in world.queues:
            yield Rejection(
                Reason.QUEUE_NOT_FOUND,
                f"chain {definition.name!r}: there is no queue {call.queue!r}, which {where}"
                " names; put it first",
            )


def _all_calls(definition: Definition) -> Iterator[tuple[str, Call]]:
    assert definition.chain is not None, "asked about a chain"
    for step in definition.chain.steps:
        for call in step.calls:
            yield f"call {call.name!r} of step {step.name!r}", call


def _expressions(world: World, definition: Definition) -> Iterator[Rejection]:
    assert definition.chain is not None, "asked about a chain"
    given = [
        (f"the precondition of step {step.name!r}", step.precondition, PRECONDITION)
        for step in definition.chain.steps
    ]
    given += [
        (f"the precondition of {where}", call.precondition, PRECONDITION)
        for where, call in _all_calls(definition)
    ]
    given += [
        (f"the condition of {where}", handler.condition, HANDLER)
        for where, handler in _all_handlers(definition)
    ]
    steps = frozenset(step.name for step in definition.chain.steps)
    for where, text, variables in given:
        if problem := _expression_problem(world, text, variables, steps):
            yield Rejection(
                Reason.INVALID_EXPRESSION, f"chain {definition.name!r}: {where}: {problem}"
            )


def _expression_problem(
    world: World, text: str, variables: Mapping[str, str], steps: frozenset[str]
) -> str:
    if not text:
        return ""
    try:
        compiled = compile_expression(text, variables=variables, gives=Gives.CONDITION)
    except ExpressionFault as fault:
        return str(fault)
    for kind, known in (("step", steps), ("window", world.windows.keys())):
        unknown = (compiled.reads.get(f"{kind}s") or frozenset()) - known
        if unknown:
            return f"there is no {kind} {min(unknown)!r}"
    return ""


# -- chains within chains -----------------------------------------------------------------------


def _nesting(definition: Definition, definitions: Mapping[str, Definition]) -> Rejection | None:
    try:
        jobs = expansion.extent_of(definition, definitions, {}).jobs
    except expansion.NestingFault as fault:
        return _invalid(definition, f"expected chains that end, but {fault}")
    if jobs <= expansion.JOBS_MAX:
        return None
    return Rejection(
        Reason.TOO_LARGE,
        f"expected at most {expansion.JOBS_MAX:,} jobs of one chain, its steps and calls"
        f" counted, but {definition.name!r} makes {jobs:,}",
    )


def users_of(names: Collection[str], world: World) -> str:
    """Say which chain runs one of these definitions; "" if none does."""
    for definition in world.definitions.values():
        if definition.chain is not None and definition.name not in names:
            for where, call in _all_calls(definition):
                if call.definition in names:
                    return f"{call.definition!r} is run by {where} of chain {definition.name!r}"
    for job in world.jobs.values():
        for step in job.chain.steps if job.chain is not None else ():
            for call in step.calls:
                if call.definition in names:
                    return f"{call.definition!r} is run by job {job.id}"
    return ""
