"""`python -m benchmarks.demo`: tells the story in a temporary folder and cleans up after it.

Exit codes: 0 if every claim holds, 1 if one does not or something did not happen, 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.demo.observer import Observer
from benchmarks.demo.process import Server, StoryError, environment_is_quiet
from benchmarks.demo.stage import Stage
from benchmarks.demo.story import SERVER_SETTINGS, Story
from interlock import InterlockError, connect

_PAUSE_SECONDS: Final = 1.0
_LONGEST_SECONDS: Final = 160.0
_INTERRUPTED: Final = 130
_KILLED: Final = -signal.SIGKILL


def main() -> int:
    """Run the demonstration; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="keep the folder with all files")
    parser.add_argument("--fast", action="store_true", help="leave no time to read")
    arguments = parser.parse_args()
    environment_is_quiet()
    folder = Path(tempfile.mkdtemp(prefix="interlock-demo-"))
    (folder / "files").mkdir()
    stage = Stage(pause=0.0 if arguments.fast else _PAUSE_SECONDS)
    try:
        return asyncio.run(_run(stage, folder))
    except KeyboardInterrupt:
        return _INTERRUPTED
    finally:
        if arguments.keep:
            print(f"Everything is in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


async def _run(stage: Stage, folder: Path) -> int:
    task = asyncio.current_task()
    assert task is not None, "asyncio.run makes one"
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    server = Server(folder, SERVER_SETTINGS)
    try:
        async with asyncio.timeout(_LONGEST_SECONDS):
            return await _perform(stage, server, folder)
    except asyncio.CancelledError:
        return _INTERRUPTED
    except TimeoutError:
        return _fail(f"it took more than {_LONGEST_SECONDS:g} s", server)
    except (StoryError, InterlockError) as error:
        return _fail(str(error), server)


async def _perform(stage: Stage, server: Server, folder: Path) -> int:
    await server.start()
    try:
        async with connect(server.address, user="operator") as interlock:
            observer = Observer(interlock)
            watching = asyncio.create_task(observer.run())
            story = Story(interlock, observer, stage, server, folder)
            try:
                async with stage.live(observer, story.state):
                    claims = await story.tell()
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
                codes = await asyncio.gather(*(robot.stop() for robot in story.robots.values()))
    finally:
        code = await server.program.stop()
    stage.show_claims(claims)
    broken = [claim for claim in claims if not claim.holds]
    for claim in broken:
        print(f"expected: {claim.promise}; but: {claim.observed}", file=sys.stderr)
    if code != 0 or sorted(codes) != [_KILLED, 0]:
        return _fail(
            f"expected the server and one robot to end with 0 when told to stop, and the other "
            f"robot killed, but the exit codes are {code} and {codes}",
            server,
        )
    if broken:
        return _fail(f"{len(broken)} of {len(claims)} claims do not hold", server)
    await stage.say(
        f"All {len(claims)} claims hold. Everything that was started has ended.", "bold"
    )
    return 0


def _fail(sentence: str, server: Server) -> int:
    print(f"The demonstration failed: {sentence}", file=sys.stderr)
    print(f"The last words of the server:\n{server.last_words}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
