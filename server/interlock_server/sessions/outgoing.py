"""What a robot is told: offers, orders, acknowledgements, and what statuses order."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from interlock_server.core.rejection import Rejection
from interlock_server.core.rules import pre_running
from interlock_server.core.rules.session import attached_jobs
from interlock_server.core.turn import EffectKind
from interlock_server.core.vocabulary.status import Status
from interlock_server.engine import EngineError

if TYPE_CHECKING:
    from interlock_server.core.model.job import Job
    from interlock_server.core.world import World


class End(Enum):
    """Why the server ends a stream."""

    #: The server is stopping.
    GOING_AWAY = 1
    #: The robot has ended its side.
    GOODBYE = 2


class Offer(NamedTuple):
    """A job for the robot to take."""

    job: int
    fence: int
    definition: str
    parameters: str
    lifecycle: int
    queue: str
    priority: int
    resume_version: int
    saved: str
    labels: dict[str, str]
    #: It has a pre-running action: its code runs when that has passed.
    wait_for_start: bool = False
    #: The robot has a post-running action for it.
    post_running_code: bool = False


class Order(NamedTuple):
    """Something that the robot has to do with a job that it has.

    `kind` as interlock.v1.OrderKind.
    """

    job: int
    fence: int
    kind: EffectKind
    message: int = 0
    reply: str = ""
    #: For an action: where the job waited last, and how it ends unless the action says otherwise.
    old_status: int = 0
    new_status: int = 0


class RefusedReport(NamedTuple):
    """A report that changed nothing."""

    sequence: int
    place: int
    job: int
    rejection: Rejection


class Ack(NamedTuple):
    """Report batches up to `sequence` are durable."""

    sequence: int
    revision: int
    refused: list[RefusedReport]


class Outgoing(NamedTuple):
    """Everything that waits for a robot, taken at once."""

    offers: list[Offer]
    orders: list[Order]
    ack: Ack | None
    heartbeat: list[Order] | None
    end: Rejection | End | EngineError | None


_ORDER_OF_STATUS: Final = {
    Status.UIPATH_STOPPING: EffectKind.STOP,
    Status.UIPATH_TERMINATING: EffectKind.KILL,
    Status.REDWOOD_KILLING: EffectKind.KILL,
    Status.REDWOOD_CANCELING: EffectKind.CANCEL,
}


def offer_of(world: World, job: Job, fence: int) -> Offer:
    """The offer of one attempt of a job."""
    special = world.definitions.get(job.definition) if job.definition in world.special else None
    return Offer(
        job.id,
        fence,
        job.definition,
        job.parameters,
        job.lifecycle,
        job.queue,
        job.priority,
        job.resume_version,
        job.saved,
        job.labels,
        special is not None and special.acts_before,
        special is not None and special.post_running_code,
    )


def order_of(job: Job, fence: int, kind: EffectKind, message: int = 0, reply: str = "") -> Order:
    """An order about one attempt of a job, with what its kind needs."""
    if kind is EffectKind.RUN_PRE_RUNNING:
        return Order(job.id, fence, kind, old_status=job.pending_status)
    if kind is EffectKind.RUN_POST_RUNNING:
        return Order(job.id, fence, kind, new_status=job.provisional)
    return Order(job.id, fence, kind, message, reply)


def _action_of(world: World, job: Job) -> EffectKind | None:
    """What is due of a job's actions; a robot that has done it lets the order pass.

    By the job alone where its action has begun: the definition may have lost it since, and a robot
    that missed the order would wait for ever.
    """
    match job.status:
        case Status.REDWOOD_PRE_RUNNING:
            return EffectKind.RUN_PRE_RUNNING
        case Status.REDWOOD_RUNNING if job.pending_status:
            return EffectKind.START
        case Status.REDWOOD_POST_RUNNING:
            return EffectKind.RUN_POST_RUNNING
        case Status.REDWOOD_ASSIGNED if pre_running.waits_in_vain(world, job):
            return EffectKind.START
    return None


def standing_orders(world: World, robot: str) -> list[Order]:
    """Orders that follow from the statuses of a robot's jobs, and the newest replies for them."""
    orders = []
    for job in attached_jobs(world, robot):
        kind = _ORDER_OF_STATUS.get(Status(job.status)) or _action_of(world, job)
        if kind is not None:
            orders.append(order_of(job, job.fence, kind))
        replied = [message for message in job.messages if message.blocking and message.replied_ms]
        if replied:
            newest = replied[-1]
            orders.append(Order(job.id, job.fence, EffectKind.REPLY, newest.id, newest.reply))
    return orders
