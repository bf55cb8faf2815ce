"""How a run ends: what a handler returned or raised, as the report that says so."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import Any, Final

from interlock import json_text
from interlock.v1.job_pb2 import Fault
from interlock.v1.robot_service_pb2 import ReportDetail, ReportKind

#: The server keeps no more of a fault's detail.
_DETAIL_MAX: Final = 16_000
_TITLE_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class Ending:
    """A report that ends a run."""

    kind: int
    detail: ReportDetail | None = None


_COMPLETED: Final = Ending(ReportKind.REPORT_KIND_COMPLETED)


def completed(value: Any, *, return_code: int = 0) -> Ending:
    """Return the end of a run that gave this JSON value."""
    if value is None and not return_code:
        return _COMPLETED
    try:
        text = "" if value is None else json_text.encode(value, what="the result of a job")
    except TypeError as error:
        return failed("INVALID_RESULT", str(error))
    detail = ReportDetail(result_json=text, return_code=return_code)
    return Ending(ReportKind.REPORT_KIND_COMPLETED, detail)


def failed(code: str, title: str, detail: str = "", *, return_code: int = 0) -> Ending:
    """Return the end of a run that failed."""
    # The end of a traceback says more than its beginning.
    kept = detail.encode(errors="replace")[-_DETAIL_MAX:].decode(errors="ignore")
    line = next(iter(title.strip().splitlines()), "") or code
    fault = Fault(code=code or "FAILED", title=line[:_TITLE_MAX], detail=kept)
    report = ReportDetail(fault=fault, return_code=return_code)
    return Ending(ReportKind.REPORT_KIND_FAILED, report)


def raised(error: BaseException) -> Ending:
    """Return the end of a run whose handler raised."""
    detail = "".join(traceback.format_exception(error))
    return failed(type(error).__name__, str(error), detail)


def canceled(reason: str = "") -> Ending:
    """Return the end of a run that ended early on request, without an error."""
    detail = ReportDetail(reason=reason) if reason else None
    return Ending(ReportKind.REPORT_KIND_CANCELED, detail)


def could_not_start(code: str, title: str) -> Ending:
    """Return the end of a run that never began."""
    detail = ReportDetail(fault=Fault(code=code, title=title))
    return Ending(ReportKind.REPORT_KIND_COULD_NOT_START, detail)


def ending_of(value: Any) -> Ending:
    """Return the end that a handler's return value means."""
    return value if isinstance(value, Ending) else completed(value)
