"""Jaeger's searches, as text: what is asked and what the answers say. Pure.

Summaries (2.19 and later) are small. The v1 search (up to 2.20, and VictoriaTraces) answers with whole traces:
only the few fields that a summary needs are decoded from them. So does the search of api_v3, in OTLP.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw, Struct

from analysis import DecodeError, EmptyTraceError, WireFormat, decode_many
from bot.sources.base import TraceQuery, TraceSummary, Value, normal_id

if TYPE_CHECKING:
    from analysis import Trace

_CAPITAL = re.compile(r"[A-Z]")
ERROR = (b"true", b'"true"')  # Jaeger sends a bool, VictoriaTraces a string


class _Summary(Struct, gc=False):
    traceId: str  # noqa: N815 - the wire's name
    minStartTimeUnixNano: int  # noqa: N815 - see above
    maxEndTimeUnixNano: int  # noqa: N815 - see above
    rootServiceName: str = ""  # noqa: N815 - see above
    rootOperationName: str = ""  # noqa: N815 - see above
    errorSpanCount: int = 0  # noqa: N815 - see above


class _Summaries(Struct):
    summaries: list[_Summary] | None = None


class _Reference(Struct, gc=False):
    spanID: str = ""  # noqa: N815 - see above


class _Tag(Struct, gc=False):
    key: str
    value: Raw = Raw(b"null")


class _Span(Struct, gc=False):
    spanID: str  # noqa: N815 - see above
    operationName: str = ""  # noqa: N815 - see above
    startTime: int = 0  # noqa: N815 - see above
    duration: int = 0
    processID: str = ""  # noqa: N815 - see above
    references: list[_Reference] | None = None
    tags: Raw = Raw(b"null")  # decoded only where they may say that the span failed


class _Process(Struct, gc=False):
    serviceName: str = ""  # noqa: N815 - see above


class _Trace(Struct):
    traceID: str  # noqa: N815 - see above
    spans: list[_Span] | None = None
    processes: dict[str, _Process] | None = None


class _Traces(Struct):
    data: list[Raw] | None = None  # large: each is decoded by itself


class _Names(Struct):
    """Lists of names, under the key that each answer uses; an operation may come with its kind."""

    data: list[str | dict[str, str]] | None = None
    services: list[str] | None = None
    operations: list[str | dict[str, str]] | None = None


def summaries_parameters(query: TraceQuery, limit: int) -> dict[str, str]:
    """Return what `/api/v3/trace-summaries` is asked."""
    wanted = {
        "query.serviceName": query.service,
        "query.operationName": query.operation,
        "query.attributes": _attributes(query),
        "query.startTimeMin": rfc3339(query.window[0]),
        "query.startTimeMax": rfc3339(query.window[1]),
        "query.durationMin": _duration(query.min_duration_ns),
        "query.durationMax": _duration(query.max_duration_ns),
        "query.searchDepth": str(limit),
    }
    return {name: value for name, value in wanted.items() if value}


def in_snake_case(parameters: dict[str, str]) -> dict[str, str]:
    """Spell the names of parameters as older servers of api_v3 know them: `query.start_time_min`."""
    return {_CAPITAL.sub(r"_\g<0>", name).lower(): value for name, value in parameters.items()}


def v1_parameters(query: TraceQuery, limit: int) -> dict[str, str]:
    """Return what `/api/traces` is asked."""
    wanted = {
        "service": query.service,
        "operation": query.operation,
        "tags": _attributes(query),
        "start": f"{query.window[0]}000000",
        "end": f"{query.window[1]}000000",
        "minDuration": _duration(query.min_duration_ns),
        "maxDuration": _duration(query.max_duration_ns),
        "limit": str(limit),  # never below 1: a negative one ends a VictoriaTraces
    }
    return {name: value for name, value in wanted.items() if value}


def _attributes(query: TraceQuery) -> str:
    """Write attributes as the JSON object of strings that Jaeger wants: it refuses any other value."""
    wanted = {name: _text(value) for name, value in query.attributes.items()}
    if query.only_errors:
        wanted["error"] = "true"
    return json.dumps(wanted) if wanted else ""


def _text(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _duration(duration_ns: int | None) -> str:
    return "" if duration_ns is None else f"{duration_ns // 1000}us"


def rfc3339(seconds: int) -> str:
    """Write unix seconds as the time that api_v3 wants."""
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat().replace("+00:00", "Z")


def read_summaries(body: bytes) -> list[TraceSummary]:
    """Read an answer of `/api/v3/trace-summaries`; raises `msgspec.MsgspecError`."""
    found = msgspec.json.decode(body, type=_Summaries, strict=False).summaries or []
    return [
        TraceSummary(
            trace_id=trace_id, root_service=s.rootServiceName, root_operation=s.rootOperationName,
            started_at_ns=s.minStartTimeUnixNano, duration_ns=max(0, s.maxEndTimeUnixNano - s.minStartTimeUnixNano),
            has_errors=s.errorSpanCount > 0,
        )
        for s in found
        if (trace_id := normal_id(s.traceId))
    ]  # fmt: skip


def split_v1(body: bytes) -> list[Raw]:
    """Take an answer of `/api/traces` apart into its traces; raises `msgspec.MsgspecError`."""
    return msgspec.json.decode(body, type=_Traces).data or []


def read_v1(trace: Raw, query: TraceQuery) -> list[TraceSummary]:
    """Read one trace of an answer, nothing for one without spans; raises `msgspec.MsgspecError`."""
    read = msgspec.json.decode(trace, type=_Trace, strict=False)
    return [_summed_up(read, query)] if normal_id(read.traceID) and read.spans else []


def _summed_up(trace: _Trace, query: TraceQuery) -> TraceSummary:
    spans, processes = trace.spans or [], trace.processes or {}
    services = {key: process.serviceName for key, process in processes.items()}
    started = min(span.startTime for span in spans)
    ended = max(span.startTime + span.duration for span in spans)
    roots = [span for span in spans if not span.references]
    root = min(roots, key=lambda span: (span.startTime, span.spanID)) if roots else None
    matched = [
        span.duration
        for span in spans
        if services.get(span.processID) == query.service and query.operation in (None, span.operationName)
    ]
    if query.root and root is not None:
        matched = [root.duration]
    return TraceSummary(
        trace_id=normal_id(trace.traceID),
        root_service=services.get(root.processID, "") if root else "",
        root_operation=root.operationName if root else "",
        started_at_ns=started * 1000,
        duration_ns=(ended - started) * 1000,
        matched_ns=max(matched) * 1000 if matched else None,
        has_errors=any(map(_failed, spans)),
    )


def read_v3(body: bytes, query: TraceQuery) -> list[TraceSummary]:
    """Read an answer of `/api/v3/traces`; raises `ValueError`."""
    try:
        return [_summed_up_v3(trace, query) for trace in decode_many(body, WireFormat.OTLP_JSON) if trace.spans]
    except EmptyTraceError:
        return []
    except DecodeError as error:
        raise ValueError(str(error)) from None


def _summed_up_v3(trace: Trace, query: TraceQuery) -> TraceSummary:
    started = min(span.start_ns for span in trace.spans)
    root = min((s for s in trace.spans if not s.parent_id), key=lambda s: (s.start_ns, s.span_id), default=None)
    matched = [
        span.end_ns - span.start_ns
        for span in ([root] if query.root and root else trace.spans)
        if span.service == query.service and query.operation in (None, span.name)
    ]
    return TraceSummary(
        trace_id=trace.trace_id, root_service=root.service if root else "", root_operation=root.name if root else "",
        started_at_ns=started, duration_ns=max(span.end_ns for span in trace.spans) - started,
        matched_ns=max(matched, default=None), has_errors=any(span.error for span in trace.spans),
    )  # fmt: skip


def _failed(span: _Span) -> bool:
    if b'"error"' not in memoryview(span.tags).tobytes():
        return False
    tags = msgspec.json.decode(span.tags, type=list[_Tag] | None) or ()
    return any(tag.key == "error" and bytes(tag.value) in ERROR for tag in tags)


def read_names(body: bytes) -> list[str]:
    """Read a list of services or operations; raises `msgspec.MsgspecError`."""
    answer = msgspec.json.decode(body, type=_Names)
    names = answer.data or answer.services or answer.operations or []
    return sorted({name if isinstance(name, str) else name.get("name", "") for name in names} - {""})
