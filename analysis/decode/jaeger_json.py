"""Jaeger's v1 JSON, and VictoriaTraces' variant of it.

    {"data": [{"traceID": .., "spans": [..], "processes": {"p1": {"serviceName": .., "tags": [..]}}}], "errors": ..}

Times are whole microseconds; kind, status and scope hide among the tags; parents are references.
VictoriaTraces writes every tag as a string and an `error` tag of "unset", "false" or "true" on every span.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from analysis.decode.values import SPAN_ID_LENGTH, TRACE_ID_LENGTH, hex_id, one_line, span_ids, span_kind
from analysis.errors import DecodeError, EmptyTraceError
from analysis.model import Attributes, Event, Link, Resource, Span, SpanKind, Trace
from analysis.notes import Note, Severity
from analysis.shape import Shapes


class _Tag(Struct, gc=False):
    key: str
    value: Any = None  # its type is told by JSON itself


_NO_TAGS = Raw(b"null")


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
    tags: Raw = _NO_TAGS
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
_tags = msgspec.json.Decoder(list[_Tag] | None)

_MICROSECOND = 1_000
_NO_SERVICE = "missing-service-name"  # what Jaeger writes for a resource without service.name
_TRUE = (True, "true")
_TRUNCATED = "showing first"
_FIELDS = ("span.kind", "error", "otel.status_code", "otel.status_description")  # tags that are fields of a span


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
        said = "; ".join(error.message for error in errors if error.message)[:200]
        raise EmptyTraceError(f"the server answered: {said}" if said else "the answer holds no spans")
    return decoded


def _trace(sent: _Trace) -> Trace:
    spans = sent.spans or []
    trace_id = sent.trace_id or next((span.trace_id for span in spans if span.trace_id), "")
    said = (warning for warnings in (sent.warnings, *(s.warnings for s in spans)) for warning in warnings or ())
    truncated = next((warning for warning in said if _TRUNCATED in warning), "")
    notes = [_partial(truncated)] if truncated else []
    read = _Spans(sent, spans)
    return Trace(
        trace_id=hex_id(trace_id, TRACE_ID_LENGTH),
        spans=tuple([read.span(span) for span in spans]),
        notes=tuple(notes),
        names=frozenset(read.names),
    )


def _partial(warning: str) -> Note:
    text = f"the backend says: {warning[:200]}"
    return Note(code="partial-trace", severity=Severity.SERIOUS, count=1, text=text)


def _resource(process: _Process) -> Resource:
    service = "" if process.service == _NO_SERVICE else process.service
    attributes: Attributes = {tag.key: tag.value for tag in process.tags or ()}
    return Resource(service=service, attributes=attributes)


class _Tags(Struct, frozen=True, gc=False):
    """A span's tags as they stand in the body."""

    raw: Raw

    def read(self) -> Attributes:
        """Return those that are no field of the model."""
        try:
            attributes = _read(self.raw)
        except RecursionError:  # so deeply nested that it could be read from a shallower stack only; no tag is
            return {}
        for name in _FIELDS:
            attributes.pop(name, None)
        return attributes


def _read(tags: Raw) -> Attributes:
    return {tag.key: tag.value for tag in _tags.decode(tags) or ()}


class _Spans:
    """Makes the spans of one trace: what they share is read and kept once.

    The tags of a span are read, looked at and forgotten: what becomes garbage at once never leaves the processor's
    caches, so this and reading a few of them a second time costs half of what keeping all of them does.
    """

    def __init__(self, sent: _Trace, spans: list[_Span]) -> None:
        self.names: set[str] = set()  # of all tags and fields of logs
        self._trace_id = sent.trace_id
        self._resources = {key: _resource(process) for key, process in (sent.processes or {}).items()}
        self._nobody = Resource(service="", attributes={})
        self._shapes = Shapes()
        ids = [span.span_id for span in spans]
        self._ids = dict(zip(ids, span_ids(ids), strict=True))

    def span(self, span: _Span) -> Span:
        attributes = _read(span.tags)
        pop = attributes.pop
        kind = pop("span.kind", None)
        failed = pop("error", None)
        status = pop("otel.status_code", None)
        message = pop("otel.status_description", None)
        self.names.update(attributes)
        parent, links, follows = self._references(span)
        start = span.start * _MICROSECOND
        return Span(
            self._ids[span.span_id],
            parent,
            span.name,
            span_kind(kind) if kind else SpanKind.UNSPECIFIED,
            _resource(span.process) if span.process else self._resources.get(span.process_id or "", self._nobody),
            start,
            start + span.duration * _MICROSECOND,
            status == "ERROR" or (failed in _TRUE and status != "OK"),
            "" if message is None or message == "-" else str(message),
            _Tags(span.tags),
            tuple([self._event(log) for log in span.logs]) if span.logs else (),
            links,
            follows,
            self._shapes.of(attributes),
        )

    def _references(self, span: _Span) -> tuple[str, tuple[Link, ...], bool]:
        """Return (parent id, links, whether the parent is a FOLLOWS_FROM)."""
        references = span.references
        if not references:
            return self._id(span.parent_span_id or ""), (), False
        if len(references) == 1 and references[0].ref_type == "CHILD_OF":
            return self._id(references[0].span_id), (), False
        parent = ""
        links = []
        for reference in references:
            own = not reference.trace_id or reference.trace_id == (span.trace_id or self._trace_id)
            if reference.ref_type == "CHILD_OF" and own and not parent:
                parent = self._id(reference.span_id)
            else:
                links.append(
                    Link(
                        trace_id=hex_id(reference.trace_id, TRACE_ID_LENGTH),
                        span_id=hex_id(reference.span_id, SPAN_ID_LENGTH),
                    )
                )
        if parent or len(references) > 1 or links[0].trace_id != self._own_trace(span):
            return parent, tuple(links), False
        return links[0].span_id, tuple(links), True

    def _own_trace(self, span: _Span) -> str:
        return hex_id(span.trace_id or self._trace_id, TRACE_ID_LENGTH)

    def _id(self, text: str) -> str:
        """Return the id of a span of this trace, the same object for all who name it, or of another one."""
        known = self._ids.get(text)
        return hex_id(text, SPAN_ID_LENGTH) if known is None else known

    def _event(self, log: _Log) -> Event:
        attributes: Attributes = {tag.key: tag.value for tag in log.fields or ()}
        name = attributes.pop("event", "")
        self.names.update(attributes)
        return Event(name=str(name), time_ns=log.timestamp * _MICROSECOND, attributes=attributes)
