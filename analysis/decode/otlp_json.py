"""OTLP JSON in all its envelopes.

    {"resourceSpans": [..]}                       OTLP files and collectors
    {"batches": [..]}                             Tempo v1
    {"trace": {"resourceSpans": [..]}, "status"}  Tempo v2; status PARTIAL says that spans are missing
    {"result": {"resourceSpans": [..]}}           Jaeger api_v3, also several such objects on lines of their own

Ids are hex or base64, kinds ints or enum names, times decimal strings of nanoseconds.
"""

from __future__ import annotations

import json

import msgspec
from msgspec import Struct

from analysis.decode.values import (
    MAX_DEPTH,
    SPAN_ID_LENGTH,
    TRACE_ID_LENGTH,
    hex_id,
    one_line,
    service_name,
    span_kind,
)
from analysis.errors import DecodeError, EmptyTraceError
from analysis.model import Attributes, AttributeValue, Event, Link, Resource, Span, Trace
from analysis.notes import Note, Severity

_Number = str | int | None
_BEYOND = 1 << 64  # the first number that OTLP has no room for


class _Value(Struct, gc=False):
    string: str | None = msgspec.field(name="stringValue", default=None)
    integer: _Number = msgspec.field(name="intValue", default=None)
    boolean: bool | None = msgspec.field(name="boolValue", default=None)
    double: str | float | None = msgspec.field(name="doubleValue", default=None)
    array: _Array | None = msgspec.field(name="arrayValue", default=None)
    mapping: _Map | None = msgspec.field(name="kvlistValue", default=None)
    raw: str | None = msgspec.field(name="bytesValue", default=None)


class _KeyValue(Struct, gc=False):
    key: str
    value: _Value | None = None


class _Array(Struct, gc=False):
    values: list[_Value] | None = None


class _Map(Struct, gc=False):
    values: list[_KeyValue] | None = None


class _Resource(Struct, gc=False):
    attributes: list[_KeyValue] | None = None


class _Scope(Struct, gc=False):
    name: str = ""
    version: str = ""


class _Status(Struct, gc=False):
    code: str | int = 0
    message: str = ""


class _Event(Struct, gc=False):
    time: _Number = msgspec.field(name="timeUnixNano", default=0)
    name: str = ""
    attributes: list[_KeyValue] | None = None


class _Link(Struct, gc=False):
    trace_id: str = msgspec.field(name="traceId", default="")
    span_id: str = msgspec.field(name="spanId", default="")


class _Span(Struct, gc=False):
    span_id: str = msgspec.field(name="spanId")
    trace_id: str = msgspec.field(name="traceId", default="")
    parent_id: str | None = msgspec.field(name="parentSpanId", default=None)
    name: str = ""
    kind: str | int = 0
    start: _Number = msgspec.field(name="startTimeUnixNano", default=0)
    end: _Number = msgspec.field(name="endTimeUnixNano", default=0)
    attributes: list[_KeyValue] | None = None
    events: list[_Event] | None = None
    links: list[_Link] | None = None
    status: _Status | None = None


class _ScopeSpans(Struct, gc=False):
    scope: _Scope | None = None
    spans: list[_Span] | None = None


class _ResourceSpans(Struct, gc=False):
    resource: _Resource | None = None
    scope_spans: list[_ScopeSpans] | None = msgspec.field(name="scopeSpans", default=None)
    library_spans: list[_ScopeSpans] | None = msgspec.field(name="instrumentationLibrarySpans", default=None)


class _TracesData(Struct, gc=False):
    resource_spans: list[_ResourceSpans] | None = msgspec.field(name="resourceSpans", default=None)
    batches: list[_ResourceSpans] | None = None


class _Said(Struct, gc=False):
    message: str = ""


class _Envelope(Struct, gc=False):
    resource_spans: list[_ResourceSpans] | None = msgspec.field(name="resourceSpans", default=None)
    batches: list[_ResourceSpans] | None = None
    trace: _TracesData | None = None
    result: _TracesData | None = None
    status: str | int | None = None
    message: str = ""
    error: _Said | str | None = None


_decoder = msgspec.json.Decoder(_Envelope)
_PARTIAL = ("PARTIAL", 1, "1")
_ERROR = ("STATUS_CODE_ERROR", 2, "2")
_WARNINGS = "@jaeger@warnings"


def decode_otlp_json(body: bytes) -> tuple[Trace, ...]:
    """Decode every trace of an OTLP JSON body, in any of the envelopes above."""
    envelopes = _envelopes(body)
    notes = []
    batches: list[_ResourceSpans] = []
    for envelope in envelopes:
        inner = envelope.trace or envelope.result
        batches.extend(envelope.resource_spans or envelope.batches or ())
        if inner is not None:
            batches.extend(inner.resource_spans or inner.batches or ())
        if envelope.status in _PARTIAL:
            notes.append(partial(envelope.message))
    spans, trace_ids = _spans(batches)
    if not spans:
        said = next((_said(e) for e in envelopes if e.error is not None), "")
        raise EmptyTraceError(f"the server answered: {said}" if said else "the answer holds no spans")
    return split_by_trace(spans, trace_ids, tuple(notes))


def partial(message: str) -> Note:
    """Return the note for a backend that says it left spans out."""
    said = f": {one_line(message)}" if message else ""
    return Note(code="partial-trace", severity=Severity.SERIOUS, count=1, text=f"the backend sent a part only{said}")


def split_by_trace(spans: list[Span], trace_ids: list[str], notes: tuple[Note, ...]) -> tuple[Trace, ...]:
    """Group spans by the trace they belong to; order of first appearance."""
    if len(set(trace_ids)) == 1:
        return (Trace(trace_id=trace_ids[0], spans=tuple(spans), notes=notes),)
    by_trace: dict[str, list[Span]] = {}
    for span, trace_id in zip(spans, trace_ids, strict=True):
        by_trace.setdefault(trace_id, []).append(span)
    return tuple(Trace(trace_id=key, spans=tuple(group), notes=notes) for key, group in by_trace.items())


def _envelopes(body: bytes) -> list[_Envelope]:
    try:
        return [_decoder.decode(body)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        parts = _objects(body)
        if len(parts) < 2:
            raise DecodeError(f"this is not OTLP JSON: {one_line(error)}") from None
    try:
        return [_decoder.decode(part) for part in parts]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"this is not OTLP JSON: {one_line(error)}") from None


def _objects(body: bytes) -> list[bytes]:
    """Split a stream of JSON objects, as older Jaeger gateways send it."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return []
    scan = json.JSONDecoder().raw_decode
    parts = []
    at = 0
    try:
        while at < len(text):
            _, end = scan(text, at)
            parts.append(text[at:end].encode())
            at = end
            while at < len(text) and text[at].isspace():
                at += 1
    except (ValueError, RecursionError):
        return []
    return parts


def _said(envelope: _Envelope) -> str:
    error = envelope.error
    return one_line(error.message if isinstance(error, _Said) else error or "")


def _spans(batches: list[_ResourceSpans]) -> tuple[list[Span], list[str]]:
    spans: list[Span] = []
    trace_ids: list[str] = []
    ids: dict[str, str] = {}
    for batch in batches:
        attributes = _attributes(batch.resource.attributes) if batch.resource else {}
        service = service_name(attributes.pop("service.name", None))
        resource = Resource(service=service, attributes=attributes)
        for group in batch.scope_spans or batch.library_spans or ():
            scope = group.scope
            for sent in group.spans or ():
                trace_id = ids.get(sent.trace_id)
                if trace_id is None:
                    trace_id = ids[sent.trace_id] = hex_id(sent.trace_id, TRACE_ID_LENGTH)
                trace_ids.append(trace_id)
                spans.append(_span(sent, resource, scope))
    return spans, trace_ids


def _span(sent: _Span, resource: Resource, scope: _Scope | None) -> Span:
    attributes = _attributes(sent.attributes) if sent.attributes else {}
    if scope is not None:
        if scope.name:
            attributes["otel.scope.name"] = scope.name
        if scope.version:
            attributes["otel.scope.version"] = scope.version
    status = sent.status
    return Span(
        span_id=hex_id(sent.span_id, SPAN_ID_LENGTH),
        parent_id=hex_id(sent.parent_id, SPAN_ID_LENGTH) if sent.parent_id else "",
        name=sent.name,
        kind=span_kind(sent.kind),
        resource=resource,
        start_ns=_nanoseconds(sent.start),
        end_ns=_nanoseconds(sent.end),
        error=status is not None and status.code in _ERROR,
        status_message=status.message if status is not None else "",
        sent=attributes,
        events=tuple(
            Event(name=e.name, time_ns=_nanoseconds(e.time), attributes=_attributes(e.attributes)) for e in sent.events
        )
        if sent.events
        else (),
        links=tuple(
            Link(trace_id=hex_id(link.trace_id, TRACE_ID_LENGTH), span_id=hex_id(link.span_id, SPAN_ID_LENGTH))
            for link in sent.links
        )
        if sent.links
        else (),
    )


def _nanoseconds(value: _Number) -> int:
    try:
        time = int(value or 0)
    except ValueError:
        time = _BEYOND
    if not -_BEYOND < time < _BEYOND:
        raise DecodeError(f"{str(value)[:40]!r} is not a time in nanoseconds")
    return time


def _attributes(pairs: list[_KeyValue] | None) -> Attributes:
    return {pair.key: _value(pair.value) for pair in pairs} if pairs else {}


def _value(value: _Value | None, depth: int = 0) -> AttributeValue:
    if value is None:
        return None
    if value.string is not None:
        return value.string
    if value.integer is not None:
        return _integer(value.integer)
    if value.boolean is not None:
        return value.boolean
    if value.double is not None:
        try:
            return float(value.double)
        except ValueError:
            return value.double
    if depth > MAX_DEPTH:
        raise DecodeError("an attribute is nested too deeply")
    if value.array is not None:
        return [_value(inner, depth + 1) for inner in value.array.values or ()]
    if value.mapping is not None:
        return {pair.key: _value(pair.value, depth + 1) for pair in value.mapping.values or ()}
    return value.raw


def _integer(sent: str | int) -> int | str:
    """Return a number of 64 bits; anything else as it was sent."""
    try:
        number = int(sent)
    except ValueError:
        return sent
    return number if -_BEYOND < number < _BEYOND else str(sent)
