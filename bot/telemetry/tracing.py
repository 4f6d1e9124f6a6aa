"""Traces of the bot itself, off unless a collector is named: so that the bot's own slow requests can be compared.

    comparison ------------------------------------------------------------------+
      |- ack        from Slack's payload to its acknowledgement                  |
      |- announce   the first message      (and the calls of Slack's API in it)  |
      |- wait       for a place to work in                                       |
      |- fetch      each trace and each search, by source                        |
      |- analyse    the child process: decode, compare                           |
      '- post       the answer             (and the calls of Slack's API in it)  |

The standard variables say where to and how: OTEL_EXPORTER_OTLP_ENDPOINT (or ..._TRACES_ENDPOINT) turns it on,
OTEL_EXPORTER_OTLP_HEADERS, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER and others are read by the
SDK, which the extra `otel` installs. OTLP goes over HTTP.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import structlog
from opentelemetry.trace import NoOpTracer

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Tracer, TracerProvider

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
SERVICE = "compare-traces"
LAST_S = 3.0  # to send the last spans
EXTRA = "compare-traces[otel]"

log = structlog.get_logger()
_tracer: Tracer = NoOpTracer()


def tracer() -> Tracer:
    """Return what makes spans: they go nowhere unless tracing was turned on."""
    return _tracer


def use(provider: TracerProvider | None) -> None:
    """Make spans with a provider from now on; None turns tracing off."""
    global _tracer  # noqa: PLW0603 - one process, one place where its spans go
    _tracer = NoOpTracer() if provider is None else provider.get_tracer("compare_traces")


def set_up() -> Callable[[], None]:
    """Turn tracing on if the environment says so; returns what sends the last spans and turns it off (it may block)."""
    wanted = any(os.environ.get(name) for name in ENDPOINTS)
    if not wanted or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return _nothing
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - an extra
    except ImportError:
        log.warning("a collector is named but the SDK is not installed", install=EXTRA)
        return _nothing
    named = os.environ.get("OTEL_SERVICE_NAME") or "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    resource = Resource.create({} if named else {"service.name": SERVICE})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    use(provider)

    def stop() -> None:
        use(None)
        # A collector that is gone is tried for ten seconds: nobody who stops the bot should wait for that.
        sending = threading.Thread(target=provider.shutdown, daemon=True)
        sending.start()
        sending.join(LAST_S)

    return stop


def _nothing() -> None:
    """Do nothing: nothing was turned on."""
