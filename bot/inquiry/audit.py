"""What became of each request: one line in the log, counts in the metrics, one span of its own.

The line says who asked from where for which traces (or windows, in unix seconds), which sources gave them, how it ended
and after how long. It never holds what a trace says, an error's text, or a secret: ids, names that were configured, and
codes.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog
from opentelemetry.trace import SpanKind, Status, StatusCode
from structlog.contextvars import bound_contextvars

from analysis.comparison import CauseKind, VerdictKind
from bot.errors import FAMILIES
from bot.inquiry.result import Result
from bot.telemetry import arrival, metrics, tracing
from bot.telemetry.steps import past

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.inquiry.result import Kept
    from bot.requests.request import CompareRequest, Origin

INTERNAL = "internal"  # the code of what nobody foresaw

# A series that begins with its first event shows no increase at it: all of them begin with 0.
metrics.begin(metrics.REQUESTS, ("answered", "failed", "repeated", "refused", "interrupted"))
metrics.begin(metrics.FAILURES, (INTERNAL, *(code for family in FAMILIES for code in family.sentences)))
metrics.begin(metrics.VERDICTS, VerdictKind)
metrics.begin(metrics.CAUSES, CauseKind)

log = structlog.get_logger()


class Record:
    """What is known of one request so far."""

    def __init__(self, request: CompareRequest | None) -> None:
        self.outcome = "interrupted"  # the process ends before the request does; the next one takes it up
        self.code = ""
        self.verdict = ""
        self.until: float | None = None  # when the answer stood, on the monotonic clock: what follows completes it
        self._request = request
        self._result: Kept | None = None

    def answered(self, result: Kept) -> None:
        """The answer stands."""
        self.outcome, self.code, self._result = "answered", "", result
        self.until = time.monotonic()
        self.verdict = result.verdict.kind.value

    def failed(self, code: str) -> None:
        """There is no answer; `code` says why."""
        self.outcome, self.code = "failed", code

    def count(self, seconds: float) -> None:
        """Count it."""
        metrics.REQUESTS.labels(self.outcome).inc()
        if self.code:
            metrics.FAILURES.labels(self.code).inc()
        if self.outcome in ("answered", "failed"):
            metrics.REQUEST_SECONDS.labels(self.outcome).observe(seconds)
        if self._result is not None:
            metrics.VERDICTS.labels(self.verdict).inc()
            causes = self._result.answer.comparison.causes if isinstance(self._result, Result) else ()
            for cause in causes:
                metrics.CAUSES.labels(cause.kind.value).inc()

    def write(self, origin: Origin, seconds: float) -> None:
        """Write the line."""
        request, result = self._request, self._result
        asked = (request.baseline, request.suspect) if request else (None, None)
        baseline, suspect = (result.baseline, result.suspect) if isinstance(result, Result) else asked
        windows = request.windows if request else None
        if isinstance(result, Result):
            sources = {result.baseline_source, result.suspect_source}
        elif result:
            sources = {result.compared.source}
        else:
            sources = {its.source or "" for its in asked if its} | {(request and request.source) or ""}
        log.info(
            "request", outcome=self.outcome, code=self.code, verdict=self.verdict, team=origin.team,
            channel=origin.channel, user=origin.user, watched=origin.watched,
            private=bool(request and request.private), baseline=baseline.trace_id if baseline else "",
            suspect=suspect.trace_id if suspect else "",
            sources=sorted(its for its in sources if its),
            seconds=round(seconds, 3), **({"windows": [*windows.baseline, *windows.suspect]} if windows else {}),
        )  # fmt: skip


@contextmanager
def recorded(key: str, origin: Origin, request: CompareRequest, accepted_at: float | None = None) -> Iterator[Record]:
    """Follow a request to its end.

    Its time counts from the arrival of Slack's payload where this process saw that, else from `accepted_at` (unix
    seconds): another process accepted it, or this one before it was started again.
    """
    came = arrival.current()
    began, began_ns = (came.began, came.arrived_ns) if came else _began(accepted_at)
    record = Record(request)
    with (
        bound_contextvars(request=key),
        tracing.tracer().start_as_current_span(
            "comparison", kind=SpanKind.SERVER, start_time=began_ns, record_exception=False,
            set_status_on_exception=False,
        ) as span,
    ):  # fmt: skip
        if accepted_at is not None:
            past("handover", metrics.QUEUE_SECONDS.labels("taker"), began_ns, time.time_ns())
        try:
            yield record
        finally:
            seconds = (record.until or time.monotonic()) - began
            record.count(seconds)
            record.write(origin, seconds)
            span.set_attributes({"compare_traces.outcome": record.outcome, "compare_traces.verdict": record.verdict})
            if record.outcome == "failed":
                span.set_status(Status(StatusCode.ERROR, record.code))
                span.set_attribute("error.type", record.code)
            if came and came.acknowledged_ns:
                ack = tracing.tracer().start_span("ack", start_time=came.arrived_ns)
                ack.end(end_time=came.acknowledged_ns)


def _began(accepted_at: float | None) -> tuple[float, int]:
    """Return when a request was accepted, on the monotonic clock (s) and in unix nanoseconds; never in the future."""
    ago = max(0.0, time.time() - accepted_at) if accepted_at else 0.0
    return time.monotonic() - ago, time.time_ns() - round(ago * 1e9)


def ended(origin: Origin, outcome: str, code: str = "", request: CompareRequest | None = None) -> None:
    """Record what ended before any work on it.

    Outcomes are "refused" (not understood, not allowed, too much at once), "repeated" and "failed".
    """
    came = arrival.current()
    seconds = time.monotonic() - came.began if came else 0.0
    record = Record(request)
    record.outcome, record.code = outcome, code
    record.count(seconds)
    record.write(origin, seconds)
