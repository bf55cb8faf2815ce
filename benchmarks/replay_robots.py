"""A process with some robots of a replay, made with the SDK like anybody's.

Their handler does what the log says of the job: it takes the job's run time, shortened, and ends as
the job ended.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from benchmarks import load_process
from interlock import Robot

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from interlock import Run


def handler(speed: float | None) -> Callable[[Run], Awaitable[Any]]:
    """Return the handler of every definition; a speed of None waits for nothing."""

    async def live(run: Run) -> Any:
        parameters = run.parameters
        if speed is not None and parameters["run_s"] > 0:
            await asyncio.sleep(parameters["run_s"] / speed)
        match parameters["outcome"]:
            case "failed":
                return run.failed("LOGGED", "failed, as the log says")
            case "canceled":
                return run.canceled("canceled, as the log says")
        return run.result()

    return live


async def main() -> None:
    """Work until the input ends."""
    lines = load_process.orders()
    task = await anext(lines)
    live = handler(task["speed"])
    robots = []
    for name in task["names"]:
        robot = Robot(task["address"], name=name, slots=task["slots"], partition=task["partition"])
        for definition in task["definitions"]:
            robot.job(definition)(live)
        robots.append(robot)
    async with asyncio.TaskGroup() as tasks:
        for robot in robots:
            tasks.create_task(robot.run())
        await asyncio.gather(*(robot.connected() for robot in robots))
        load_process.say(ready=True)
        async for _ in lines:
            pass
        for robot in robots:
            robot.drain()


if __name__ == "__main__":
    load_process.run(main())
