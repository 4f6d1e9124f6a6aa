"""What senders and backends get wrong in single places: read where it can be, else refused with a sentence."""

from __future__ import annotations

import json

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from analysis import DecodeError, decode
from analysis.decode import WireFormat

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
        (None, None),
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


LATER = field(14, 3) + field(14, b"new") + bytes([14 << 3 | 5, 1, 2, 3, 4])  # of kinds that the protocol may still gain


def instant(number: int, value: int) -> bytes:
    """Write a field of eight bytes, as times are."""
    return bytes([number << 3 | 1]) + value.to_bytes(8, "little")


def messages(noise: bytes) -> bytes:
    """Return a span with an event, a link, a status and an attribute, with more in each of their messages."""
    value = field(1, b"gold") + noise
    said = field(9, field(1, b"tier") + field(2, value) + noise)
    event = field(11, instant(1, 5) + field(2, b"retry") + field(3, field(1, b"no") + field(2, field(3, 2))) + noise)
    link = field(13, field(1, bytes.fromhex(ID)) + field(2, b"87654321") + noise)
    status = field(15, field(2, b"refused") + field(3, 2) + noise)
    ids = field(1, bytes.fromhex(ID)) + field(2, b"12345678") + field(4, bytes(8))
    span = ids + field(5, b"GET /") + field(6, 2) + instant(7, 1) + instant(8, 9) + said + event + link + status + noise
    scope = field(1, field(1, b"lib") + field(2, b"") + noise) + field(2, span) + noise
    resource = field(1, field(1, b"service.name") + field(2, field(1, b"shop"))) + noise
    return field(1, field(1, resource) + field(2, scope) + noise)


def test_what_a_later_version_says_besides_changes_nothing_of_what_is_known() -> None:
    """Numbers, texts and fixed fields that nobody knows are passed over in every message."""
    plain, noisy = decode(messages(b"")), decode(messages(LATER))
    assert noisy == plain
    (span,) = plain.spans
    assert (span.name, span.resource.service, span.status_message, span.parent_id) == ("GET /", "shop", "refused", "")
    assert (span.attributes["tier"], span.events[0].attributes["no"]) == ("gold", 2)
    assert (span.links[0].span_id, span.error) == (b"87654321".hex(), True)


def test_an_answer_is_told_from_a_bare_trace_by_what_is_in_it(packed) -> None:
    """Both begin with the same field; what an answer may say besides is not needed to tell them apart."""
    bare = decode(packed)
    assert decode(field(1, packed)) == bare
    assert decode(packed + field(1, 3)) == bare
    assert decode(LATER + packed, WireFormat.OTLP_PROTOBUF) == bare
    assert decode(field(1, LATER + packed) + LATER, WireFormat.TEMPO_PROTOBUF) == bare


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (field(1, field(1, field(2, b"\xff"))), "holds no spans"),
        (field(1, field(1, field(2, b""))), "holds no spans"),
        (field(1, field(1, b"\x11abc")), "ends in the middle"),
        (field(1, field(2, bytes([14 << 3]) + b"\xff" * 11)), "a number is too long"),
        (field(1, field(2, bytes([14 << 3 | 5, 1, 2, 3]))), "ends in the middle"),
        (field(1, field(2, bytes([14 << 3 | 3]))), "this is not protobuf"),
    ],
)
def test_an_answer_that_is_garbage_inside_is_refused_in_a_sentence(body, said) -> None:
    """Where not even the outermost messages can be read, what is wrong is said, whatever the label says."""
    for label in (None, WireFormat.TEMPO_PROTOBUF, WireFormat.OTLP_PROTOBUF):
        with pytest.raises(DecodeError, match=said if label is None else None):
            decode(body, label)
