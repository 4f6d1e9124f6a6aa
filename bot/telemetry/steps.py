"""The steps of a request: each timed for the metrics and, where tracing is on, a span under the request's own."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry.trace import SpanKind, Status, StatusCode

from bot.errors import BotError
from bot.telemetry import tracing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.trace import Span
    from prometheus_client import Histogram


@contextmanager
def step(name: str, timer: Histogram, kind: SpanKind = SpanKind.INTERNAL, **attributes: str | int) -> Iterator[Span]:
    """Time what is done within; it counts whether it succeeds or not."""
    started = time.perf_counter()
    # An exception's own text may hold what was asked or what a trace says: a span names its kind alone.
    with tracing.tracer().start_as_current_span(
        name, kind=kind, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except Exception as error:
            code = error.code if isinstance(error, BotError) else type(error).__name__
            span.set_status(Status(StatusCode.ERROR, code))
            span.set_attribute("error.type", code)
            raise
        finally:
            timer.observe(time.perf_counter() - started)


def past(name: str, timer: Histogram, started_ns: int, ended_ns: int) -> None:
    """Record a step that another process took, under the one at hand; times are unix nanoseconds."""
    timer.observe((ended_ns - started_ns) / 1e9)
    tracing.tracer().start_span(name, start_time=started_ns).end(end_time=ended_ns)
