"""OTLP protobuf: TracesData, and Tempo v2's TraceByIDResponse around it.

A minimal reader of protobuf's wire format, for the handful of messages that matter (opentelemetry-proto's
trace.proto, resource.proto, common.proto). The two envelopes look alike on the wire: both start with field 1,
length-delimited. They are told apart by what is inside: TracesData holds ResourceSpans whose field 2 holds
scopes, TraceByIDResponse holds one TracesData whose field 1 holds ResourceSpans.

    TracesData         1: ResourceSpans { 1: Resource  2: ScopeSpans { 1: Scope  2: Span } }
    TraceByIDResponse  1: TracesData    2: metrics  3: status (1 = PARTIAL)  4: message
"""

from __future__ import annotations

import struct
from base64 import b64encode
from typing import TYPE_CHECKING

from analysis.decode.otlp_json import partial, split_by_trace
from analysis.decode.values import KINDS, MAX_DEPTH, service_name
from analysis.errors import DecodeError, EmptyTraceError
from analysis.model import Attributes, AttributeValue, Event, Link, Resource, Span, SpanKind, Trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.notes import Note

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_STATUS_ERROR = 2
_FLOAT = struct.Struct("<d")


def decode_protobuf(body: bytes, *, envelope: bool | None = None) -> tuple[Trace, ...]:
    """Decode every trace of a protobuf body; `envelope` says whether Tempo v2's envelope is around it."""
    try:
        return _decode(body, envelope=envelope)
    except (IndexError, struct.error, OverflowError):
        raise DecodeError("this protobuf body ends in the middle of a message", f"{len(body)} bytes") from None
    except UnicodeDecodeError as error:
        raise DecodeError("this protobuf body holds text that is not UTF-8", f"byte {error.start}") from None


def _decode(body: bytes, *, envelope: bool | None) -> tuple[Trace, ...]:
    if envelope is None:
        envelope = looks_like_envelope(body)
    notes: list[Note] = []
    batches: list[bytes] = []
    status, message = 0, ""
    for number, value in _fields(body):
        if not envelope:
            if number == 1 and isinstance(value, bytes):
                batches.append(value)
        elif number == 1 and isinstance(value, bytes):
            batches.extend(inner for field, inner in _fields(value) if field == 1 and isinstance(inner, bytes))
        elif number == 3 and isinstance(value, int):
            status = value
        elif number == 4 and isinstance(value, bytes):
            message = value.decode()
    if status == 1:
        notes.append(partial(message))
    spans: list[Span] = []
    trace_ids: list[str] = []
    reader = _Reader()
    for batch in batches:
        reader.resource_spans(batch, spans, trace_ids)
    if not spans:
        raise EmptyTraceError("the answer holds no spans")
    return split_by_trace(spans, trace_ids, tuple(notes))


def looks_like_envelope(body: bytes) -> bool:
    """Tell a TraceByIDResponse from TracesData by the shape of what field 1 holds."""
    top = list(_fields(body, limit=64))
    if any(number != 1 for number, _ in top):
        return True
    for value in (value for _, value in top if isinstance(value, bytes)):
        inner = list(_fields(value, limit=64))
        if any(number == 2 for number, _ in inner):
            return False  # a ResourceSpans with scopes
        # A Resource alone (field 1) holds KeyValues; a TracesData holds ResourceSpans with field 2 inside.
        for _, deeper in inner:
            if isinstance(deeper, bytes) and any(
                number == 2 and isinstance(scope, bytes) and _is_message(scope) for number, scope in _fields(deeper)
            ):
                return True
    return not top or not any(isinstance(value, bytes) and value for _, value in top)


def _is_message(data: bytes) -> bool:
    try:
        return all(number in (1, 2, 3) for number, _ in _fields(data, limit=16)) and bool(data)
    except (IndexError, struct.error, DecodeError):
        return False


def _fields(data: bytes, limit: int = -1) -> Iterator[tuple[int, int | bytes]]:
    """Yield (field number, value) of one message; length-delimited values as bytes, all others as int."""
    at, end = 0, len(data)
    while at < end and limit:
        limit -= 1
        tag = data[at]
        at += 1
        if tag > 127:
            tag, at = _varint(data, at - 1)
        wire = tag & 7
        if wire == _BYTES:
            size = data[at]
            at += 1
            if size > 127:
                size, at = _varint(data, at - 1)
            stop = at + size
            if stop > end:
                raise IndexError
            yield tag >> 3, data[at:stop]
            at = stop
        elif wire == _VARINT:
            value, at = _varint(data, at)
            yield tag >> 3, value
        elif wire == _FIXED64:
            if at + 8 > end:
                raise IndexError
            yield tag >> 3, int.from_bytes(data[at : at + 8], "little")
            at += 8
        elif wire == _FIXED32:
            if at + 4 > end:
                raise IndexError
            yield tag >> 3, int.from_bytes(data[at : at + 4], "little")
            at += 4
        else:
            raise DecodeError("this is not protobuf", f"byte {at}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise DecodeError("this is not protobuf: a number is too long", f"byte {at}")


class _Reader:
    """Reads spans; remembers attributes, which repeat from span to span."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[str, AttributeValue]] = {}
        self._names: dict[bytes, str] = {}

    def resource_spans(self, data: bytes, spans: list[Span], trace_ids: list[str]) -> None:
        attributes: Attributes = {}
        scopes: list[bytes] = []
        for number, value in _fields(data):
            if not isinstance(value, bytes):
                continue
            if number == 1:
                for field, pair in _fields(value):
                    if field == 1 and isinstance(pair, bytes):
                        self._attribute(pair, attributes)
            elif number == 2:
                scopes.append(value)
        service = service_name(attributes.pop("service.name", None))
        resource = Resource(service=service, attributes=attributes)
        for scope in scopes:
            self._scope_spans(scope, resource, spans, trace_ids)

    def _scope_spans(self, data: bytes, resource: Resource, spans: list[Span], trace_ids: list[str]) -> None:
        scope: Attributes = {}
        found: list[bytes] = []
        for number, value in _fields(data):
            if not isinstance(value, bytes):
                continue
            if number == 1:
                for field, part in _fields(value):
                    if isinstance(part, bytes) and part and field in (1, 2):
                        scope["otel.scope.name" if field == 1 else "otel.scope.version"] = part.decode()
            elif number == 2:
                found.append(value)
        for span in found:
            self._span(span, resource, scope, spans, trace_ids)

    def _span(
        self, data: bytes, resource: Resource, scope: Attributes, spans: list[Span], trace_ids: list[str]
    ) -> None:
        trace_id = span_id = parent_id = name = message = ""
        kind = SpanKind.UNSPECIFIED
        start = end = 0
        error = False
        attributes: Attributes = {}
        events: list[Event] = []
        links: list[Link] = []
        for number, value in _fields(data):
            if isinstance(value, bytes):
                if number == 9:
                    self._attribute(value, attributes)
                elif number == 1:
                    trace_id = value.hex().rjust(32, "0")
                elif number == 2:
                    span_id = value.hex().rjust(16, "0")
                elif number == 4:
                    parent_id = value.hex().rjust(16, "0") if value.strip(b"\0") else ""
                elif number == 5:
                    name = self._text(value)
                elif number == 11:
                    events.append(self._event(value))
                elif number == 13:
                    links.append(self._link(value))
                elif number == 15:
                    error, message = self._status(value)
            elif number == 7:
                start = value
            elif number == 8:
                end = value
            elif number == 6:
                kind = KINDS.get(value, SpanKind.UNSPECIFIED)
        if scope:
            attributes.update(scope)
        trace_ids.append(trace_id)
        spans.append(
            Span(
                span_id=span_id,
                parent_id=parent_id,
                name=name,
                kind=kind,
                resource=resource,
                start_ns=start,
                end_ns=end,
                error=error,
                status_message=message,
                sent=attributes,
                events=tuple(events),
                links=tuple(links),
            )
        )

    def _text(self, data: bytes) -> str:
        text = self._names.get(data)
        if text is None:
            text = self._names[data] = data.decode()
        return text

    @staticmethod
    def _status(data: bytes) -> tuple[bool, str]:
        error, message = False, ""
        for number, value in _fields(data):
            if number == 3:
                error = value == _STATUS_ERROR
            elif number == 2 and isinstance(value, bytes):
                message = value.decode()
        return error, message

    def _event(self, data: bytes) -> Event:
        time, name = 0, ""
        attributes: Attributes = {}
        for number, value in _fields(data):
            if number == 1 and isinstance(value, int):
                time = value
            elif isinstance(value, bytes):
                if number == 2:
                    name = self._text(value)
                elif number == 3:
                    self._attribute(value, attributes)
        return Event(name=name, time_ns=time, attributes=attributes)

    @staticmethod
    def _link(data: bytes) -> Link:
        trace_id = span_id = ""
        for number, value in _fields(data):
            if isinstance(value, bytes):
                if number == 1:
                    trace_id = value.hex().rjust(32, "0")
                elif number == 2:
                    span_id = value.hex().rjust(16, "0")
        return Link(trace_id=trace_id, span_id=span_id)

    def _attribute(self, data: bytes, into: Attributes) -> None:
        known = self._known.get(data)
        if known is None:
            known = _key_value(data, 0)
            if len(data) < 256:
                self._known[data] = known
        into[known[0]] = known[1]


def _key_value(data: bytes, depth: int) -> tuple[str, AttributeValue]:
    key, result = "", None
    for number, value in _fields(data):
        if isinstance(value, bytes):
            if number == 1:
                key = value.decode()
            elif number == 2:
                result = _any_value(value, depth)
    return key, result


def _any_value(data: bytes, depth: int) -> AttributeValue:
    if depth > MAX_DEPTH:
        raise DecodeError("an attribute is nested too deeply")
    result: AttributeValue = None
    for number, value in _fields(data):
        if isinstance(value, int):
            if number == 2:
                result = bool(value)
            elif number == 3:
                result = value - (1 << 64) if value >> 63 else value
            elif number == 4:
                result = float(_FLOAT.unpack(value.to_bytes(8, "little"))[0])
        elif number == 1:
            result = value.decode()
        elif number == 5:
            result = [_any_value(v, depth + 1) for n, v in _fields(value) if n == 1 and isinstance(v, bytes)]
        elif number == 6:
            result = dict(_key_value(v, depth + 1) for n, v in _fields(value) if n == 1 and isinstance(v, bytes))
        elif number == 7:
            result = b64encode(value).decode()
    return result
