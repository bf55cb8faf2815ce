"""The only configuration of logging: structlog and the standard library, in lines, to stderr.

Called once at start, because reconfiguring while gRPC's threads log can deadlock.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

    from structlog.typing import Processor

#: Loggers of libraries that tell of things which are no trouble of the operator.
_QUIET = ("asyncio", "grpc._cython.cygrpc")


def configure(level: str, form: str) -> None:
    """Log from `level` on, as `json` or for people (`console`)."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, *_last(form)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_last(form)],
            foreign_pre_chain=shared,
        )
    )
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)


def _last(form: str) -> list[Callable[..., Any]]:
    """How a line is written."""
    if form == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    # Plain, because a rich traceback prints the values of variables, and those are other people's.
    return [
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    ]


def silence_ended_streams() -> None:
    """Drop what asyncio and gRPC say of streams that are cut when the server stops.

    Each would be a traceback, and they would bury a real one.
    """
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)
