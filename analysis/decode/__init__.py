"""Decode: bytes of any supported dialect become `Trace` values, in one typed pass.

The format is told by the content; a given format is a hint that the content may overrule, since servers and
proxies mislabel bodies. Whatever the bytes are, the only exception is `DecodeError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.collector import collector_paused
from analysis.decode.jaeger_json import decode_jaeger
from analysis.decode.otlp_json import decode_otlp_json
from analysis.decode.protobuf import decode_protobuf
from analysis.errors import DecodeError, EmptyTraceError
from analysis.model import WireFormat

if TYPE_CHECKING:
    from analysis.model import Trace

__all__ = ["decode", "decode_many"]

_PEEK = 4_096  # bytes looked at to tell the JSON dialects apart
_JAEGER_KEYS = (b'"data"', b'"traceID"', b'"processes"', b'"operationName"')
_OTLP_KEYS = (b'"resourceSpans"', b'"batches"', b'"trace"', b'"result"', b'"scopeSpans"')
_BOM = b"\xef\xbb\xbf"
_FIRST_TAGS = b"\x0a\x12\x18\x22"  # what can begin a message that holds a trace: its fields 1 to 4


def decode(body: bytes, wire: WireFormat | None = None) -> Trace:
    """Decode a body that holds one trace.

    Raises `DecodeError` when it is not a trace or holds several, `EmptyTraceError` when it holds no span.
    """
    traces = decode_many(body, wire)
    if len(traces) > 1:
        ids = ", ".join(trace.trace_id for trace in traces[:3])
        raise DecodeError(f"the body holds {len(traces)} traces ({ids}, ...): name the one to use")
    return traces[0]


@collector_paused()
def decode_many(body: bytes, wire: WireFormat | None = None) -> tuple[Trace, ...]:
    """Decode a body that holds one or more traces, such as a search result."""
    body = body.removeprefix(_BOM)
    if not body.strip():
        raise EmptyTraceError("the body is empty")
    first = body.lstrip()[:1]
    if first in (b"{", b"["):
        return _decode_json(body)
    if first == b"<":
        raise DecodeError("this is an HTML or XML page, not a trace")
    if body[:2] == b"\x1f\x8b":
        raise DecodeError("this body is gzipped: unpack it first")
    envelope = {WireFormat.TEMPO_PROTOBUF: True, WireFormat.OTLP_PROTOBUF: False}.get(wire) if wire else None
    return _decode_protobuf(body, envelope=envelope)


def _decode_json(body: bytes) -> tuple[Trace, ...]:
    head = body[:_PEEK]
    jaeger = min((at for at in map(head.find, _JAEGER_KEYS) if at >= 0), default=_PEEK)
    otlp = min((at for at in map(head.find, _OTLP_KEYS) if at >= 0), default=_PEEK)
    if jaeger == otlp:
        # Neither is near the beginning: try both, prefer the error that is about content.
        try:
            return decode_otlp_json(body)
        except EmptyTraceError as empty:
            try:
                return decode_jaeger(body)
            except DecodeError:
                raise empty from None
    return decode_jaeger(body) if jaeger < otlp else decode_otlp_json(body)


def _decode_protobuf(body: bytes, *, envelope: bool | None) -> tuple[Trace, ...]:
    if envelope is None and body[0] not in _FIRST_TAGS:
        raise DecodeError(
            "this is neither JSON nor protobuf: traces come as Jaeger, Tempo or OTLP JSON, or OTLP protobuf"
        )
    if envelope is None:
        return decode_protobuf(body)
    try:
        return decode_protobuf(body, envelope=envelope)
    except DecodeError as error:
        # The label may be wrong: the other envelope, if that gives spans.
        try:
            return decode_protobuf(body, envelope=not envelope)
        except DecodeError:
            raise error from None
