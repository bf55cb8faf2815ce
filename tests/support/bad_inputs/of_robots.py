"""Bad inputs about robots, outside of their sessions."""

from __future__ import annotations

from typing import Any

from interlock.v1 import robot_service_pb2 as pb
from tests.support.bad_inputs.by_field import BEYOND_63_BITS, named
from tests.support.bad_inputs.of_jobs import BAD_JSON
from tests.support.bad_inputs.row import BadInput


def _starts() -> list[BadInput]:
    def start(**fields: Any) -> Any:
        return lambda scene: pb.StartAtRobotRequest(
            **{
                "robot": "robot-1",
                "epoch": scene.robot.epoch,
                "definition": "invoice",
                **fields,
            }
        )

    rpc = "RobotService/StartAtRobot"
    return [
        BadInput(rpc, "an epoch beyond 63 bits", start(epoch=BEYOND_63_BITS), "OUT_OF_BOUNDS"),
        BadInput(rpc, "another epoch", start(epoch=10**9), "NO_SESSION"),
        BadInput(rpc, "no epoch", start(epoch=0), "NO_SESSION"),
        BadInput(rpc, "an unknown robot", start(robot="nobody"), "NO_SESSION"),
        BadInput(rpc, "an unknown definition", start(definition="nothing"), "DEFINITION_NOT_FOUND"),
        BadInput(rpc, "a Redwood definition", start(definition="report"), "WRONG_LIFECYCLE"),
        BadInput(rpc, "no required parameter", start(definition="typed"), "INVALID_PARAMETER"),
        BadInput(rpc, "a second foreground job", start(definition="desk"), "IN_USE"),
        *(
            BadInput(rpc, what, start(**fields), why, "definition")
            for what, fields, why in named("definition")
        ),
        *(
            BadInput(rpc, f"parameters {what}", start(parameters_json=json), "INVALID_PARAMETER")
            for what, json in BAD_JSON
        ),
    ]


def _maintenance() -> list[BadInput]:
    def maintain(**fields: Any) -> pb.SetRobotMaintenanceRequest:
        return pb.SetRobotMaintenanceRequest(**{"robot": "robot-1", "maintenance": True, **fields})

    rpc = "RobotService/SetRobotMaintenance"
    return [
        BadInput(rpc, "an unknown robot", maintain(robot="nobody"), "ROBOT_NOT_FOUND"),
        BadInput(rpc, "strategy 9", maintain(strategy=9), "INVALID_FIELD", "strategy"),
        BadInput(
            rpc,
            "a strategy at the end",
            maintain(maintenance=False, strategy=1),
            "INVALID_FIELD",
            "strategy",
        ),
    ]


def _deletions() -> list[BadInput]:
    rpc = "RobotService/DeleteRobots"
    return [
        BadInput(
            rpc, "an unknown robot", pb.DeleteRobotsRequest(robots=["nobody"]), "ROBOT_NOT_FOUND"
        ),
        BadInput(rpc, "a connected robot", pb.DeleteRobotsRequest(robots=["robot-1"]), "IN_USE"),
        BadInput(
            rpc,
            "a connected one after another",
            pb.DeleteRobotsRequest(robots=["robot-3", "robot-1"]),
            "IN_USE",
        ),
        BadInput(
            rpc,
            "all and one",
            pb.DeleteRobotsRequest(robots=["robot-3"], all_disconnected=True),
            "INVALID_FIELD",
            "robots",
        ),
    ]


def of_robots() -> list[BadInput]:
    """All of them."""
    return [*_starts(), *_maintenance(), *_deletions()]
