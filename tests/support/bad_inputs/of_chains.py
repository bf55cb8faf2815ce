"""Chains that are put wrong, and submissions of chains."""

from __future__ import annotations

from typing import Any, Final

from interlock.v1 import catalog_service_pb2 as catalog
from interlock.v1 import job_service_pb2 as jobs
from interlock.v1 import watch_service_pb2 as watches
from interlock.v1.chain_pb2 import Call, Chain, HandledStatus, HandlerAction, StatusHandler, Step
from interlock.v1.definition_pb2 import Definition
from interlock.v1.filter_pb2 import Filter
from interlock.v1.status_pb2 import Lifecycle
from tests.support.bad_inputs.row import BadInput

_ERROR: Final = HandledStatus.HANDLED_STATUS_ERROR
_COMPLETED: Final = HandledStatus.HANDLED_STATUS_COMPLETED
_CONTINUE: Final = HandlerAction.HANDLER_ACTION_CONTINUE
_GO_TO: Final = HandlerAction.HANDLER_ACTION_GO_TO_STEP
_ASK: Final = HandlerAction.HANDLER_ACTION_REQUEST_RESTART


def _call(**fields: Any) -> Call:
    return Call(**{"name": "a", "definition": "report", **fields})


def _step(**fields: Any) -> Step:
    return Step(**{"name": "load", "calls": [_call()], **fields})


def _chain(**fields: Any) -> Definition:
    return Definition(
        name="new-chain", lifecycle=Lifecycle.LIFECYCLE_REDWOOD, chain=Chain(**fields)
    )


def _with_call(**fields: Any) -> Definition:
    return _chain(steps=[_step(calls=[_call(**fields)])])


def _handled(**fields: Any) -> Definition:
    return _chain(steps=[_step(handlers=[StatusHandler(**{"on": _ERROR, **fields})])])


#: what, definition, reason
_CHAINS: Final[tuple[tuple[str, Definition, str], ...]] = (
    ("a chain of nothing", _chain(), "INVALID_FIELD"),
    ("two steps of one name", _chain(steps=[_step(), _step()]), "DUPLICATE_TARGET"),
    ("two calls of one name", _chain(steps=[_step(calls=[_call()] * 2)]), "DUPLICATE_TARGET"),
    ("a call of nothing", _with_call(definition="nothing"), "DEFINITION_NOT_FOUND"),
    ("a call of a UiPath process", _with_call(definition="invoice"), "INVALID_CHAIN"),
    ("a call in no queue", _with_call(queue="nowhere"), "QUEUE_NOT_FOUND"),
    ("a chain that calls itself", _with_call(definition="new-chain"), "INVALID_CHAIN"),
    ("a precondition in Latin", _with_call(precondition="si vis"), "INVALID_EXPRESSION"),
    ("a precondition that is 1", _with_call(precondition="1"), "INVALID_EXPRESSION"),
    (
        "a precondition about no step",
        _with_call(precondition="steps['x'].status == 'Completed'"),
        "INVALID_EXPRESSION",
    ),
    ("a way to no step", _handled(action=_GO_TO, step="x"), "INVALID_CHAIN"),
    ("a way to where no step is named", _handled(action=_GO_TO), "INVALID_CHAIN"),
    ("a step that nothing goes to", _handled(action=_CONTINUE, step="load"), "INVALID_CHAIN"),
    ("the latest of no restart", _handled(action=_CONTINUE, latest=True), "INVALID_CHAIN"),
    ("a question about success", _handled(on=_COMPLETED, action=_ASK), "INVALID_CHAIN"),
    (
        "handlers that are never asked",
        _chain(
            steps=[_step()],
            handlers=[StatusHandler(on=_ERROR, action=_CONTINUE)],
            request_restart=True,
        ),
        "INVALID_FIELD",
    ),
    (
        "a UiPath chain",
        Definition(
            name="new-chain",
            lifecycle=Lifecycle.LIFECYCLE_UIPATH,
            chain=Chain(steps=[_step()]),
        ),
        "INVALID_FIELD",
    ),
)


def of_chains() -> list[BadInput]:
    """All of them."""
    return [
        *(
            BadInput(
                "CatalogService/PutDefinitions",
                what,
                catalog.PutDefinitionsRequest(definitions=[definition]),
                reason,
            )
            for what, definition, reason in _CHAINS
        ),
        BadInput(
            "JobService/SubmitJobs",
            "a chain so often",
            jobs.SubmitJobsRequest(jobs=[jobs.NewJob(definition="nightly", count=2_501)]),
            "TOO_LARGE",
            metadata=("jobs", "jobs_max"),
        ),
        BadInput(
            "JobService/SubmitJobs",
            "a chain at no step of it",
            jobs.SubmitJobsRequest(jobs=[jobs.NewJob(definition="nightly", start_at_step="x")]),
            "STEP_NOT_FOUND",
            metadata=("step",),
        ),
        BadInput(
            "JobService/ListJobs",
            "chain 0",
            jobs.ListJobsRequest(filter=Filter(chains=[0])),
            "INVALID_ID",
            "filter",
        ),
        BadInput(
            "WatchService/Watch",
            "a chain",
            watches.WatchRequest(filter=Filter(chains=[1])),
            "INVALID_FIELD",
            "filter",
        ),
    ]
