"""The comparison: a bare grpc.aio server that makes the same exchanges and keeps no promise.

It decodes the same messages and encodes the answers, but decides nothing, checks nothing and stores
nothing. Whatever Interlock takes longer than this is what Interlock itself costs.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import grpc

from benchmarks import load_process
from benchmarks.bare import echo
from benchmarks.bare.fan_out import FAN_OUT, REPLAY, FanOut
from benchmarks.bare.lives import BareLives


def read_folder(folder: Path) -> int:
    """Read every byte below a folder; returns how many there are."""
    return sum(len(path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file())


class _Methods(grpc.GenericRpcHandler):
    def __init__(self, fan_out: FanOut, lives: BareLives) -> None:
        self._handlers: dict[str, Any] = {
            **lives.methods(),
            **echo.methods(),
            FAN_OUT: grpc.unary_stream_rpc_method_handler(fan_out.stream),
            REPLAY: grpc.unary_stream_rpc_method_handler(fan_out.replay),
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """Find a method by its path."""
        return self._handlers.get(handler_call_details.method)


async def main() -> None:
    """Serve until the input ends."""
    lines = load_process.orders()
    task = await anext(lines)
    read = read_folder(Path(task["read"])) if "read" in task else 0
    fan_out = FanOut()
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    lives = BareLives()
    server.add_generic_rpc_handlers((_Methods(fan_out, lives),))
    lives.add_to(server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    load_process.say(address=f"127.0.0.1:{port}", read=read, at=time.monotonic())
    async for line in lines:
        fan_out.load(Path(line["recording"]))
        at = await fan_out.begin(line["watchers"]) if "watchers" in line else time.monotonic()
        load_process.say(at=at)
    await server.stop(0)


if __name__ == "__main__":
    load_process.run(main())
