"""Jaeger's v1 JSON, and VictoriaTraces' variant of it.

    {"data": [{"traceID": .., "spans": [..], "processes": {"p1": {"serviceName": .., "tags": [..]}}}], "errors": ..}

Times are whole microseconds; kind, status and scope hide among the tags; parents are references.
VictoriaTraces writes every tag as a string and an `error` tag of "unset", "false" or "true" on every span.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from analysis.decode.values import SPAN_ID_LENGTH, TRACE_ID_LENGTH, hex_id, one_line, span_kind
from analysis.errors import DecodeError, EmptyTraceError
from analysis.model import Attributes, Event, Link, Resource, Span, SpanKind, Trace
from analysis.notes import Note, Severity


class _Tag(Struct, gc=False):
    key: str
    value: Any = None
    type: str = ""


class _Reference(Struct, gc=False):
    ref_type: str = msgspec.field(name="refType", default="CHILD_OF")
    trace_id: str = msgspec.field(name="traceID", default="")
    span_id: str = msgspec.field(name="spanID", default="")


class _Log(Struct, gc=False):
    timestamp: int = 0
    fields: list[_Tag] | None = None


class _Process(Struct, gc=False):
    service: str = msgspec.field(name="serviceName", default="")
    tags: list[_Tag] | None = None


class _Span(Struct, gc=False):
    span_id: str = msgspec.field(name="spanID")
    start: int = msgspec.field(name="startTime")
    duration: int = 0
    trace_id: str = msgspec.field(name="traceID", default="")
    name: str = msgspec.field(name="operationName", default="")
    references: list[_Reference] | None = None
    parent_span_id: str | None = msgspec.field(name="parentSpanID", default=None)
    tags: list[_Tag] | None = None
    logs: list[_Log] | None = None
    process_id: str | None = msgspec.field(name="processID", default=None)
    process: _Process | None = None
    warnings: list[str] | None = None


class _Trace(Struct, gc=False):
    trace_id: str = msgspec.field(name="traceID", default="")
    spans: list[_Span] | None = None
    processes: dict[str, _Process] | None = None
    warnings: list[str] | None = None


class _Error(Struct, gc=False):
    message: str = msgspec.field(name="msg", default="")


class _Envelope(Struct, gc=False):
    data: list[_Trace] | None = None
    errors: list[_Error] | None = None


_envelope = msgspec.json.Decoder(_Envelope)
_bare = msgspec.json.Decoder(_Trace)
_bare_list = msgspec.json.Decoder(list[_Trace])

_MICROSECOND = 1_000
_NO_SERVICE = "missing-service-name"  # what Jaeger writes for a resource without service.name
_TRUE = (True, "true")
_TRUNCATED = "showing first"


def decode_jaeger(body: bytes) -> tuple[Trace, ...]:
    """Decode every trace of a Jaeger v1 JSON body: the API's envelope, a list of traces, or one bare trace."""
    try:
        start = body.lstrip()[:1]
        if start == b"[":
            traces: list[_Trace] = _bare_list.decode(body)
            errors: list[_Error] = []
        else:
            envelope = _envelope.decode(body)
            traces, errors = envelope.data or [], envelope.errors or []
            if envelope.data is None and not errors:
                bare = _bare.decode(body)
                traces = [bare] if bare.spans else []
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"this is not Jaeger JSON: {one_line(error)}") from None
    decoded = tuple(_trace(trace) for trace in traces if trace.spans)
    if not decoded:
        said = "; ".join(error.message for error in errors if error.message)[:200]
        raise EmptyTraceError(f"the server answered: {said}" if said else "the answer holds no spans")
    return decoded


def _trace(sent: _Trace) -> Trace:
    resources = {key: _resource(process) for key, process in (sent.processes or {}).items()}
    nobody = Resource(service="", attributes={})
    notes: list[Note] = []
    truncated = [w for w in sent.warnings or () if _TRUNCATED in w]
    spans = []
    trace_id = sent.trace_id
    for span in sent.spans or ():
        if not trace_id:
            trace_id = span.trace_id
        resource = _resource(span.process) if span.process else resources.get(span.process_id or "", nobody)
        spans.append(_span(span, resource, sent.trace_id))
        if span.warnings:
            truncated.extend(w for w in span.warnings if _TRUNCATED in w)
    if truncated:
        notes.append(
            Note(
                code="partial-trace", severity=Severity.SERIOUS, count=1, text=f"the backend says: {truncated[0][:200]}"
            )
        )
    return Trace(trace_id=hex_id(trace_id, TRACE_ID_LENGTH), spans=tuple(spans), notes=tuple(notes))


def _resource(process: _Process) -> Resource:
    service = "" if process.service == _NO_SERVICE else process.service
    attributes: Attributes = {tag.key: tag.value for tag in process.tags or ()}
    return Resource(service=service, attributes=attributes)


def _span(span: _Span, resource: Resource, trace_id: str) -> Span:
    attributes: Attributes = {tag.key: tag.value for tag in span.tags} if span.tags else {}
    pop = attributes.pop
    kind = pop("span.kind", None)
    failed = pop("error", None)
    status = pop("otel.status_code", None)
    message = pop("otel.status_description", None)
    parent, links, follows = _references(span, trace_id)
    start = span.start * _MICROSECOND
    return Span(
        span_id=hex_id(span.span_id, SPAN_ID_LENGTH),
        parent_id=parent,
        name=span.name,
        kind=span_kind(kind) if kind else SpanKind.UNSPECIFIED,
        resource=resource,
        start_ns=start,
        end_ns=start + span.duration * _MICROSECOND,
        error=status == "ERROR" or (failed in _TRUE and status != "OK"),
        status_message="" if message is None or message == "-" else str(message),
        attributes=attributes,
        events=tuple(_event(log) for log in span.logs) if span.logs else (),
        links=links,
        follows_from=follows,
    )


def _references(span: _Span, trace_id: str) -> tuple[str, tuple[Link, ...], bool]:
    """Return (parent id, links, whether the parent is a FOLLOWS_FROM)."""
    references = span.references
    if not references:
        return hex_id(span.parent_span_id or "", SPAN_ID_LENGTH), (), False
    if len(references) == 1 and references[0].ref_type == "CHILD_OF":
        return hex_id(references[0].span_id, SPAN_ID_LENGTH), (), False
    parent = ""
    links = []
    for reference in references:
        own = not reference.trace_id or reference.trace_id == (span.trace_id or trace_id)
        if reference.ref_type == "CHILD_OF" and own and not parent:
            parent = hex_id(reference.span_id, SPAN_ID_LENGTH)
        else:
            links.append(
                Link(
                    trace_id=hex_id(reference.trace_id, TRACE_ID_LENGTH),
                    span_id=hex_id(reference.span_id, SPAN_ID_LENGTH),
                )
            )
    if not parent and len(references) == 1 and links[0].trace_id == hex_id(span.trace_id or trace_id, TRACE_ID_LENGTH):
        return links[0].span_id, tuple(links), True
    return parent, tuple(links), False


def _event(log: _Log) -> Event:
    attributes: Attributes = {tag.key: tag.value for tag in log.fields or ()}
    name = attributes.pop("event", "")
    return Event(name=str(name), time_ns=log.timestamp * _MICROSECOND, attributes=attributes)
