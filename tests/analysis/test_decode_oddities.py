"""What senders and backends get wrong in single places: read where it can be, else refused with a sentence."""

from __future__ import annotations

import json

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from analysis import DecodeError, decode

ID = "0af7651916cd43dd8448eb211c80319c"


def otlp(attribute: object, span_id: str = "b7ad6b7169203331") -> bytes:
    """Return a trace of one span with one attribute, as OTLP JSON."""
    span = {
        "traceId": ID, "spanId": span_id, "name": "GET /", "kind": 2, "startTimeUnixNano": "1", "endTimeUnixNano": "9",
        "attributes": [{"key": "said", "value": attribute}],
    }  # fmt: skip
    return json.dumps({"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": [span]}]}]}).encode()


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"doubleValue": "1.5"}, 1.5),
        ({"doubleValue": "much"}, "much"),
        ({"intValue": "many"}, "many"),
        ({"intValue": "12"}, 12),
        ({"boolValue": False}, False),
        ({"arrayValue": {}}, []),
        ({}, None),
    ],
)
def test_a_value_that_is_not_what_its_name_says_is_kept_as_sent(sent, read) -> None:
    """A number that is none is shown as the text that it is; nothing else of the trace is lost."""
    assert decode(otlp(sent)).spans[0].attributes["said"] == read


def test_values_that_never_end_and_a_broken_second_part_are_refused() -> None:
    """Nesting has a depth; of several documents behind each other every one must be readable."""
    deep: object = {"stringValue": "x"}
    for _ in range(90):
        deep = {"arrayValue": {"values": [deep]}}
    with pytest.raises(DecodeError, match="nested too deeply"):
        assert decode(otlp(deep)).spans[0].attributes
    with pytest.raises(DecodeError, match="this is not OTLP JSON"):
        decode(otlp({}) + b'\n{"resourceSpans": 7}')


def field(number: int, value: bytes | int) -> bytes:
    """Write a field of a protobuf message that is shorter than 16 kB."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    return bytes([number << 3 | 2, len(value) & 127 | 128, len(value) >> 7]) + value


@pytest.fixture
def packed() -> bytes:
    """Return one span of a scope with a version as protobuf, in which every message has a number nobody knows."""
    data = TracesData()
    scope = data.resource_spans.add().scope_spans.add()
    scope.scope.name, scope.scope.version = "lib", "1.2"
    scope.spans.add(
        trace_id=bytes.fromhex(ID), span_id=b"12345678", name="GET /", start_time_unix_nano=1, end_time_unix_nano=9
    )
    return data.SerializeToString()


def test_an_answer_that_says_that_it_is_partial_is_believed(packed) -> None:
    """Tempo sends what it could find with a status and a reason: the trace is read, and the reason a note."""
    trace = decode(field(1, packed) + field(3, 1) + field(4, b"trace exceeds max size"))
    assert [span.name for span in trace.spans] == ["GET /"]
    assert any("trace exceeds max size" in note.text for note in trace.notes)
    assert trace.spans[0].attributes["otel.scope.version"] == "1.2"


def test_fields_that_nobody_knows_are_passed_over(packed) -> None:
    """A later version of the protocol may say more at every level."""
    (batch,) = TracesData.FromString(packed).resource_spans
    (scope,) = batch.scope_spans
    (span,) = scope.spans
    inner = field(15, 3) + field(1, field(1, b"lib") + field(15, 3)) + field(2, span.SerializeToString() + field(15, 3))
    body = field(1, field(15, 3) + field(1, field(15, 3)) + field(2, inner))
    trace = decode(body)
    assert [(its.name, its.end_ns - its.start_ns) for its in trace.spans] == [("GET /", 8)]
    assert trace.spans[0].attributes["otel.scope.name"] == "lib"
