"""Tempo's searches, as text: TraceQL, and what the answers say. Pure.

Names and values come from traces, alerts and people: every one of them is written as a quoted literal, and an
attribute's name in quotes too unless it is plain.
"""

from __future__ import annotations

import json
import re

import msgspec
from msgspec import Struct

from bot.sources.base import TraceQuery, TraceSummary, Value, normal_id

LONGEST_S = 168 * 3600  # the longest range that Tempo searches by default
SPANS = 10  # matching spans per trace in an answer
NO_ROOT = "<root span not yet received>"
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,15})?")


def quoted(text: str) -> str:
    """Write a text as a TraceQL string: Go's escapes, of which JSON's are a part."""
    return json.dumps(text.encode(errors="replace").decode(), ensure_ascii=False)


def trace_ql(query: TraceQuery, *, plain: bool = False) -> str:
    """Return the TraceQL that finds what is asked for.

    Durations are compared per trace: `duration` of spans finds nothing in a block that holds one span with its
    end before its start. `plain`: for older versions, which know nothing of a trace but its spans; whether those
    are roots has to be seen from the answer.
    """
    terms = []
    if query.root and not plain:
        terms.append(f"rootServiceName = {quoted(query.service)}")
        terms += [f"rootName = {quoted(query.operation)}"] if query.operation is not None else []
    terms += span_terms(query.service, query.operation)
    if query.min_duration_ns is not None:
        terms.append(f"{'duration' if plain else 'traceDuration'} >= {query.min_duration_ns // 1000}us")
    if query.only_errors:
        terms.append("status = error")
    terms += [_attribute(name, value) for name, value in query.attributes.items()]
    return f"{{ {' && '.join(terms)} }}"


def span_terms(service: str, operation: str | None) -> list[str]:
    """Return the conditions that a span of a service (and operation) meets."""
    named = [f"name = {quoted(operation)}"] if operation is not None else []
    return [f"resource.service.name = {quoted(service)}", *named]


def _attribute(name: str, value: Value) -> str:
    """Compare an attribute, of span or resource, in every type that the value may have been sent with.

    A literal matches its own type alone: `1` finds no attribute that was sent as 1.0, and "500" no number.
    """
    field = f".{name}" if _PLAIN.fullmatch(name) else f".{quoted(name)}"
    either = " || ".join(f"{field} = {literal}" for literal in _literals(value))
    return f"({either})"


def _literals(value: Value) -> list[str]:
    if isinstance(value, bool):
        return [json.dumps(value)]
    if not isinstance(value, str):
        number = repr(value)
        return [number, f"{number}.0"] if isinstance(value, int) else [f"{value:f}"]
    literals = [quoted(value)]
    if value in ("true", "false"):
        literals.append(value)
    if _NUMBER.fullmatch(value):
        literals += [value] if "." in value else [value, f"{value}.0"]
    return literals


def search_parameters(query: TraceQuery, limit: int, *, plain: bool = False) -> dict[str, str]:
    """Return what `/api/search` is asked. The range must be there: without it only recent data is searched."""
    start, end = query.window
    return {
        "q": trace_ql(query, plain=plain),
        "start": str(max(start, end - LONGEST_S)),
        "end": str(end),
        "limit": str(limit),
        "spss": str(SPANS),
    }


class _Span(Struct, gc=False):
    durationNanos: int = 0  # noqa: N815 - the wire's name


class _SpanSet(Struct, gc=False):
    spans: list[_Span] | None = None


class _Stats(Struct, gc=False):
    errorCount: int = 0  # noqa: N815 - see above


class _Trace(Struct):
    traceID: str  # noqa: N815 - see above
    rootServiceName: str = ""  # noqa: N815 - see above
    rootTraceName: str = ""  # noqa: N815 - see above
    startTimeUnixNano: int = 0  # noqa: N815 - see above
    durationMs: int = 0  # noqa: N815 - see above
    spanSet: _SpanSet | None = None  # noqa: N815 - see above
    spanSets: list[_SpanSet] | None = None  # noqa: N815 - see above
    serviceStats: dict[str, _Stats] | None = None  # noqa: N815 - see above


class _Found(Struct):
    traces: list[_Trace] | None = None


class _Value(Struct, gc=False):
    value: str = ""


class _Values(Struct):
    tagValues: list[str | _Value] | None = None  # noqa: N815 - see above


def read_search(body: bytes) -> list[TraceSummary]:
    """Read an answer of `/api/search`; raises `msgspec.MsgspecError`."""
    found = msgspec.json.decode(body, type=_Found, strict=False).traces or []
    return [_summed_up(trace) for trace in found if normal_id(trace.traceID)]


def _summed_up(trace: _Trace) -> TraceSummary:
    sets = trace.spanSets or ([trace.spanSet] if trace.spanSet else [])
    matched = [span.durationNanos for each in sets for span in each.spans or ()]
    stats = trace.serviceStats
    return TraceSummary(
        trace_id=normal_id(trace.traceID),
        root_service="" if trace.rootServiceName == NO_ROOT else trace.rootServiceName,
        root_operation=trace.rootTraceName,
        started_at_ns=trace.startTimeUnixNano,
        duration_ns=trace.durationMs * 1_000_000,
        matched_ns=max(matched) if matched else None,
        has_errors=any(service.errorCount for service in stats.values()) if stats else None,
    )


def read_values(body: bytes) -> list[str]:
    """Read the values of a tag; raises `msgspec.MsgspecError`."""
    values = msgspec.json.decode(body, type=_Values).tagValues or []
    return sorted({value if isinstance(value, str) else value.value for value in values} - {""})
