"""What a job runs, and how: a UiPath process or a Redwood process definition."""

from __future__ import annotations

from enum import IntEnum

import msgspec


class LossPolicy(IntEnum):
    """What happens to a running UiPath job whose robot is lost (domain.md UA-6)."""

    #: Stays Running until the robot is back; back without the job makes it Faulted.
    WAIT = 1
    #: Faulted when the time to live is over.
    FAULT = 2
    #: Executed again, in the same job, with a new fence.
    RERUN = 3


class Completion(IntEnum):
    """Who ends a Redwood job (domain.md B8)."""

    #: The robot's end report.
    DEFAULT = 1
    #: A caller of CompleteJobs, after the code has ended.
    EXTERNAL = 2


class Parameter(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One input: a JSON type (empty for any), whether it is needed, and a default as JSON text."""

    name: str
    type: str = ""
    required: bool = False
    default_json: str = ""


class Definition(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One version of a definition; a change makes a new record with the next version."""

    name: str
    lifecycle: int
    description: str = ""
    queue: str = "default"
    priority: int = 50
    parameters: tuple[Parameter, ...] = ()
    foreground: bool = False
    on_robot_loss: LossPolicy = LossPolicy.WAIT
    return_code_map: str = ""
    completion: Completion = Completion.DEFAULT
    hold_on_submit: bool = False
    #: 0 means the server's setting.
    uncertain_timeout_ms: int = 0
    message_on_failure: bool = False
    labels: dict[str, str] = {}
    version: int = 0
    updated_ms: int = 0
