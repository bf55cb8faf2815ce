"""`interlock health`: is a server there, and does it serve? For probes of containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from interlock.cli import exit_code
from interlock.cli.option import ClientCommand

if TYPE_CHECKING:
    from interlock.cli.invocation import Invocation

#: A probe that waits longer than this is itself the problem.
_PATIENCE_SECONDS: Final = 5.0


@click.command(cls=ClientCommand)
@click.option("--service", default="", help="Ask for one service, such as interlock.v1.JobService.")
@click.pass_obj
def health(invocation: Invocation, service: str) -> int:
    """Ask whether the server serves.

    Exits with 0 if it does, and with 1 if it does not or is not there.
    Asks once over grpc.health.v1 and waits at most 5 seconds, or as long as --timeout says.
    """
    settings = invocation.settings
    seconds = settings["timeout"]
    if settings.values["timeout"].origin == "default":
        seconds = _PATIENCE_SECONDS
    status, detail = _check(settings["address"], service, seconds)
    serving = status == "SERVING"
    answer = {"address": settings["address"], "status": status.lower(), "serving": serving}
    if invocation.output != "table":
        invocation.write_line(answer)
    elif serving:
        if not invocation.quiet:
            click.echo(f"{settings['address']} is serving")
    else:
        invocation.note(
            f"expected {settings['address']} to serve, but it is {status.lower()}{detail}"
        )
    return exit_code.OK if serving else exit_code.FAILURE


def _check(address: str, service: str, seconds: float) -> tuple[str, str]:
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    options = [("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel(address, options=options) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service=service)
        try:
            response = stub.Check(request, timeout=seconds)
        except grpc.RpcError as error:
            code = error.code()
            if code == grpc.StatusCode.NOT_FOUND:
                return "SERVICE_UNKNOWN", f": it has no service {service!r}"
            return "UNREACHABLE", f" ({code.name}: {error.details()})"
    name = health_pb2.HealthCheckResponse.ServingStatus.Name(response.status)
    return str(name), ""
