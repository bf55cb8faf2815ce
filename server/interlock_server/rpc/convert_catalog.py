"""Definitions and queues: requests to commands, and records to messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interlock.v1 import definition_pb2, queue_pb2
from interlock.v1.error_reason_pb2 import ErrorReason
from interlock_server.core.command import PutDefinitions, PutQueues
from interlock_server.core.model.definition import Completion, Definition, LossPolicy, Parameter
from interlock_server.core.model.queue import DEFAULT_QUEUE, Queue
from interlock_server.core.vocabulary.status import Lifecycle
from interlock_server.rpc import validate
from interlock_server.rpc.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interlock.v1 import catalog_service_pb2
    from interlock_server.core.world import World

DESCRIPTION_MAX: Final = 1_024
PARAMETERS_MAX: Final = 64
RETURN_CODES_MAX: Final = 512
EXECUTION_SIZE_MAX: Final = 1_000_000

_TYPES: Final = ("", "string", "number", "integer", "boolean", "object", "array")
_PRIORITY: Final = {Lifecycle.UIPATH: 45, Lifecycle.REDWOOD: 50}


def put_definitions(request: catalog_service_pb2.PutDefinitionsRequest) -> PutDefinitions:
    """Check definitions to write."""
    validate.batch("definitions", len(request.definitions))
    definitions = tuple(
        _definition_record(f"definitions[{index}]", each)
        for index, each in enumerate(request.definitions)
    )
    validate.distinct("definitions", [each.name for each in definitions])
    return PutDefinitions(definitions)


def _definition_record(path: str, given: definition_pb2.Definition) -> Definition:
    validate.unset(path, given, ("version", "update_time"))
    number = validate.known(
        f"{path}.lifecycle", given.lifecycle, tuple(Lifecycle), "lifecycle (1 UiPath, 2 Redwood)"
    )
    lifecycle = Lifecycle(number)
    priority = validate.number(f"{path}.priority", given.priority, 0, validate.PRIORITY_MAX)
    loss = validate.choice(
        f"{path}.on_robot_loss", given.on_robot_loss, range(len(LossPolicy) + 1), "loss policy"
    )
    completion = validate.choice(
        f"{path}.completion", given.completion, range(len(Completion) + 1), "completion strategy"
    )
    return Definition(
        name=validate.name(f"{path}.name", given.name),
        lifecycle=int(lifecycle),
        description=validate.text(
            f"{path}.description", given.description, DESCRIPTION_MAX, lines=True
        ),
        queue=validate.optional_name(f"{path}.queue", given.queue) or DEFAULT_QUEUE,
        priority=priority or _PRIORITY[lifecycle],
        parameters=_parameters(f"{path}.parameters", given.parameters),
        foreground=given.foreground,
        on_robot_loss=LossPolicy(loss or LossPolicy.WAIT),
        return_code_map=validate.text(
            f"{path}.return_code_map", given.return_code_map, RETURN_CODES_MAX
        ),
        completion=Completion(completion or Completion.DEFAULT),
        hold_on_submit=given.hold_on_submit,
        uncertain_timeout_ms=validate.optional_duration_ms(
            given, "uncertain_timeout", f"{path}.uncertain_timeout"
        ),
        message_on_failure=given.message_on_failure,
        labels=validate.labels(f"{path}.labels", given.labels),
    )


def _parameters(path: str, given: Sequence[definition_pb2.Parameter]) -> tuple[Parameter, ...]:
    if len(given) > PARAMETERS_MAX:
        raise _bad_parameter(path, f"expected at most {PARAMETERS_MAX}, but got {len(given)}")
    found = tuple(_parameter(f"{path}[{index}]", each) for index, each in enumerate(given))
    if len({each.name for each in found}) < len(found):
        raise _bad_parameter(path, "expected each name once, but one stands twice")
    return found


def _parameter(path: str, given: definition_pb2.Parameter) -> Parameter:
    if not given.name:
        raise _bad_parameter(f"{path}.name", "expected a name, but it is empty")
    if given.type not in _TYPES:
        types = ", ".join(_TYPES[1:])
        raise _bad_parameter(f"{path}.type", f"expected one of {types}, but got {given.type!r}")
    return Parameter(
        name=validate.text(f"{path}.name", given.name, validate.LABEL_MAX),
        type=given.type,
        required=given.required,
        default_json=validate.json_value(f"{path}.default_json", given.default_json),
    )


def _bad_parameter(path: str, sentence: str) -> InvalidArgument:
    return InvalidArgument(path, sentence, ErrorReason.ERROR_REASON_INVALID_PARAMETER)


def definition(record: Definition) -> definition_pb2.Definition:
    """A definition as it is now."""
    message = definition_pb2.Definition(
        name=record.name,
        lifecycle=record.lifecycle,  # type: ignore[arg-type]  # same numbers
        description=record.description,
        queue=record.queue,
        priority=record.priority,
        parameters=[
            definition_pb2.Parameter(
                name=each.name,
                type=each.type,
                required=each.required,
                default_json=each.default_json,
            )
            for each in record.parameters
        ],
        foreground=record.foreground,
        on_robot_loss=int(record.on_robot_loss),  # type: ignore[arg-type]  # same numbers
        return_code_map=record.return_code_map,
        completion=int(record.completion),  # type: ignore[arg-type]  # same numbers
        hold_on_submit=record.hold_on_submit,
        message_on_failure=record.message_on_failure,
        labels=record.labels,
        version=record.version,
    )
    if record.uncertain_timeout_ms:
        message.uncertain_timeout.FromMilliseconds(record.uncertain_timeout_ms)
    message.update_time.FromMilliseconds(record.updated_ms)
    return message


def put_queues(request: catalog_service_pb2.PutQueuesRequest) -> PutQueues:
    """Check queues to write."""
    validate.batch("queues", len(request.queues))
    queues = tuple(
        _queue_record(f"queues[{index}]", each) for index, each in enumerate(request.queues)
    )
    validate.distinct("queues", [each.name for each in queues])
    return PutQueues(queues)


def _queue_record(path: str, given: queue_pb2.Queue) -> Queue:
    output = ("held", "held_by", "hold_reason", "load", "waiting", "version")
    validate.unset(path, given, output)
    return Queue(
        name=validate.name(f"{path}.name", given.name),
        description=validate.text(
            f"{path}.description", given.description, DESCRIPTION_MAX, lines=True
        ),
        execution_size=validate.number(
            f"{path}.execution_size", given.execution_size, 0, EXECUTION_SIZE_MAX
        ),
        system=given.system,
    )


def queue(record: Queue, world: World) -> queue_pb2.Queue:
    """A queue, with what its jobs say about it now."""
    return queue_pb2.Queue(
        name=record.name,
        description=record.description,
        execution_size=record.execution_size,
        system=record.system,
        held=record.held,
        held_by=record.held_by,
        hold_reason=record.hold_reason,
        load=world.queue_load.get(record.name, 0),
        waiting=world.queue_waiting.get(record.name, 0)
        + len(world.queue_held.get(record.name, ())),
        version=record.version,
    )
