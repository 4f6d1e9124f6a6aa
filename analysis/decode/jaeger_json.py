"""Jaeger's v1 JSON, and VictoriaTraces' variant of it.

    {"data": [{"traceID": .., "spans": [..], "processes": {"p1": {"serviceName": .., "tags": [..]}}}], "errors": ..}

Times are whole microseconds; kind, status and scope hide among the tags; parents are references.
VictoriaTraces writes every tag as a string and an `error` tag of "unset", "false" or "true" on every span.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from analysis.decode.jaeger_tags import NO_TAGS, Layout, Tag, UnreadTags, as_attributes, read_tags
from analysis.decode.values import (
    KINDS,
    SPAN_ID_LENGTH,
    TRACE_ID_LENGTH,
    Whole,
    hex_id,
    one_line,
    service_name,
    span_ids,
    span_kind,
)
from analysis.errors import DecodeError, EmptyTraceError
from analysis.model import NO_SERVICE, Event, Link, Resource, Span, Trace
from analysis.notes import Note, Severity
from analysis.shape import Shapes


class _Reference(Struct, gc=False):
    ref_type: str = msgspec.field(name="refType", default="CHILD_OF")
    trace_id: str = msgspec.field(name="traceID", default="")
    span_id: str = msgspec.field(name="spanID", default="")


class _Log(Struct, gc=False):
    timestamp: Whole = 0
    fields: list[Tag] | None = None


class _Process(Struct, gc=False):
    service: str = msgspec.field(name="serviceName", default="")
    tags: list[Tag] | None = None


class _Span(Struct, gc=False):
    span_id: str = msgspec.field(name="spanID")
    start: Whole = msgspec.field(name="startTime")
    duration: Whole = 0
    trace_id: str = msgspec.field(name="traceID", default="")
    name: str = msgspec.field(name="operationName", default="")
    references: list[_Reference] | None = None
    parent_span_id: str | None = msgspec.field(name="parentSpanID", default=None)
    tags: Raw = NO_TAGS
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
        decoded = tuple(_trace(trace) for trace in traces if trace.spans)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"this is not Jaeger JSON: {one_line(error)}") from None
    if not decoded:
        said = one_line("; ".join(error.message for error in errors if error.message))
        raise EmptyTraceError(f"the server answered: {said}" if said else "the answer holds no spans")
    return decoded


def _trace(sent: _Trace) -> Trace:
    sent_spans = sent.spans or []
    trace_id = sent.trace_id or next((span.trace_id for span in sent_spans if span.trace_id), "")
    said = (warning for warnings in (sent.warnings, *(s.warnings for s in sent_spans)) for warning in warnings or ())
    truncated = next((warning for warning in said if _TRUNCATED in warning), "")
    notes = [_partial(truncated)] if truncated else []
    spans, names = _spans(sent, sent_spans)
    return Trace(trace_id=hex_id(trace_id, TRACE_ID_LENGTH), spans=tuple(spans), notes=tuple(notes), names=names)


def _partial(warning: str) -> Note:
    text = f"the backend says: {one_line(warning)}"
    return Note(code="partial-trace", severity=Severity.SERIOUS, count=1, text=text)


def _resource(process: _Process) -> Resource:
    return Resource(service=service_name(process.service), attributes=as_attributes(process.tags))


def _spans(trace: _Trace, sent: list[_Span]) -> tuple[list[Span], frozenset[str]]:
    """Make the model's spans; returns also the names of all attributes of spans and events.

    One loop for everything, since a call for each part of a span adds a fifth to its cost.
    """
    resources = {key: _resource(process) for key, process in (trace.processes or {}).items()}
    nobody = Resource(service=NO_SERVICE, attributes={})
    texts = [span.span_id for span in sent]
    ids = dict(zip(texts, span_ids(texts), strict=True))  # whoever names a span holds the same object
    shape_of = Shapes().read
    layouts: dict[tuple[str, ...], Layout] = {}
    in_events: set[str] = set()
    spans = []
    for span in sent:
        try:
            tags = read_tags(span.tags) or ()
        except msgspec.ValidationError as refused:
            where = f"tags of span {span.span_id[:40]!r}"
            raise DecodeError(f"this is not Jaeger JSON: {one_line(refused)}", where) from None
        names = tuple([tag.key for tag in tags])
        layout = layouts.get(names)
        if layout is None:
            layout = layouts[names] = Layout(names)
        values = [tag.value for tag in tags]
        said = values[layout.kind] if layout.kind is not None else None
        kind = KINDS.get(said) if said.__class__ is str else None
        error, message = layout.outcome(values) if layout.has_outcome else (False, "")
        references = span.references
        links: tuple[Link, ...] = ()
        follows = False
        if references and (len(references) > 1 or references[0].ref_type != "CHILD_OF"):
            parent, links, follows = _links(references, span.trace_id or trace.trace_id)
        else:
            named = references[0].span_id if references else span.parent_span_id or ""
            parent = ids.get(named) or hex_id(named, SPAN_ID_LENGTH)
        events = tuple([_event(log) for log in span.logs]) if span.logs else ()
        for event in events:
            in_events.update(event.attributes)
        start = span.start * _MICROSECOND
        spans.append(
            Span(
                ids[span.span_id],
                parent,
                span.name,
                kind or span_kind(said),
                _resource(span.process) if span.process else resources.get(span.process_id or "", nobody),
                start,
                start + span.duration * _MICROSECOND,
                error,
                message,
                UnreadTags(span.tags, layout.names),
                events,
                links,
                follows,
                shape_of(layout.reading, values),
                layout.answered(values) if layout.http_status else "",
            )
        )
    return spans, frozenset(in_events).union(*(layout.names for layout in layouts.values()))


def _links(references: list[_Reference], trace_id: str) -> tuple[str, tuple[Link, ...], bool]:
    """Return (parent id, links, whether the parent is a FOLLOWS_FROM) of a span of some trace."""
    parent = ""
    links = []
    for reference in references:
        own = not reference.trace_id or reference.trace_id == trace_id
        if reference.ref_type == "CHILD_OF" and own and not parent:
            parent = hex_id(reference.span_id, SPAN_ID_LENGTH)
        else:
            links.append(
                Link(
                    trace_id=hex_id(reference.trace_id, TRACE_ID_LENGTH),
                    span_id=hex_id(reference.span_id, SPAN_ID_LENGTH),
                )
            )
    if parent or len(references) > 1 or links[0].trace_id != hex_id(trace_id, TRACE_ID_LENGTH):
        return parent, tuple(links), False
    return links[0].span_id, tuple(links), True


def _event(log: _Log) -> Event:
    attributes = as_attributes(log.fields)
    name = attributes.pop("event", "")
    return Event(name=str(name), time_ns=log.timestamp * _MICROSECOND, attributes=attributes)
