"""Decoding: every dialect of every backend becomes the same spans, and nothing else than DecodeError comes out."""

from __future__ import annotations

import gc
import gzip
import json

import pytest
from exchanges import body
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from proving import examples

from analysis import DecodeError, EmptyTraceError, WireFormat, decode, decode_many, semconv
from analysis.decode.values import hex_id, span_ids
from analysis.model import SpanKind

DIALECTS = {
    "jaeger v1": ("jaeger", "trace-{}"),
    "jaeger api_v3": ("jaeger", "v3-trace-{}"),
    "victoria traces": ("victoria", "trace-{}"),
    "tempo v1": ("tempo", "v1-{}"),
    "tempo v2": ("tempo", "v2-{}"),
    "tempo v1 protobuf": ("tempo", "v1-{}-pb"),
    "tempo v2 protobuf": ("tempo", "v2-{}-pb"),
}


def essence(trace) -> list[tuple]:
    """Return what every dialect carries, times in microseconds."""
    return sorted(
        (s.span_id, s.parent_id, s.name, s.kind, s.service, s.start_ns // 1000, s.error, len(s.events), len(s.links))
        for s in trace.spans
    )


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", ["checkout-slow", "kitchen-sink"])
def test_every_dialect_decodes_to_the_same_spans(dialect, name) -> None:
    """Ids, parents, names, kinds, services, times, errors, events and links agree between all backends."""
    server, pattern = DIALECTS[dialect]
    if name == "kitchen-sink" and dialect == "tempo v1 protobuf":
        name = "checkout-slow"
    assert essence(decode(body(server, pattern.format(name)))) == essence(decode(body("tempo", f"v2-{name}")))


@pytest.mark.parametrize(("server", "name"), [("jaeger", "trace-{}"), ("victoria", "trace-{}"), ("tempo", "v2-{}")])
@pytest.mark.parametrize("case", ["orphans", "halves"])
def test_odd_traces_agree_between_backends(server, name, case) -> None:
    """Orphans and traces stored in two halves come out alike."""
    assert essence(decode(body(server, name.format(case)))) == essence(decode(body("tempo", f"v2-{case}")))


def test_short_ids_are_padded() -> None:
    """A 64-bit trace id has 32 digits after decoding, whatever the backend prints."""
    ids = {
        decode(body(server, name)).trace_id
        for server, name in (
            ("jaeger", "trace-short-64bit"),
            ("jaeger", "v3-trace-short-64bit"),
            ("tempo", "v2-short-64bit"),
            ("victoria", "trace-short-64bit"),
        )
    }
    assert ids == {"0000000000000000a1b2c3d4e5f60718"}


def test_attributes_keep_their_types() -> None:
    """Strings, bools, ints beyond 2^53, floats and lists survive each dialect that carries them."""
    by_name = {s.name: s for s in decode(body("tempo", "v2-kitchen-sink")).spans}
    same = {s.name: s for s in decode(body("tempo", "v2-kitchen-sink-pb")).spans}
    assert {n: s.attributes for n, s in by_name.items()} == {n: s.attributes for n, s in same.items()}
    values = [v for s in by_name.values() for v in s.attributes.values()]
    assert {bool, int, float, str, list} <= {type(v) for v in values}


def test_not_a_number_is_no_trouble() -> None:
    """NaN and infinities, which JSON cannot say, decode as numbers."""
    attributes = [v for s in decode(body("tempo", "v2-nan-inf")).spans for v in s.attributes.values()]
    assert any(isinstance(v, float) and v != v for v in attributes)  # noqa: PLR0124 - only NaN differs from itself


def test_the_protobuf_reader_agrees_with_the_official_one() -> None:
    """Our reader and opentelemetry-proto see the same ids, names, times and attribute keys."""
    raw = body("tempo", "v1-checkout-slow-pb")
    official = TracesData.FromString(raw)
    theirs = sorted(
        (s.span_id.hex(), s.name, s.start_time_unix_nano, s.end_time_unix_nano, sorted(a.key for a in s.attributes))
        for r in official.resource_spans
        for g in r.scope_spans
        for s in g.spans
    )
    ours = sorted(
        (s.span_id, s.name, s.start_ns, s.end_ns, sorted(k for k in s.attributes if not k.startswith("otel.scope.")))
        for s in decode(raw).spans
    )
    assert ours == theirs


@pytest.mark.parametrize(
    ("server", "name"),
    [
        ("tempo", "v2-form-unknown"),
        ("tempo", "v2-unknown-pb"),
        ("victoria", "form-unknown"),
        ("jaeger", "form-unknown"),
    ],
)
def test_an_empty_answer_is_told_from_garbage(server, name) -> None:
    """All shapes of "no such trace" are an empty trace, not a format error."""
    with pytest.raises(EmptyTraceError):
        decode(body(server, name))


def test_what_the_server_said_is_repeated() -> None:
    """An error in the body is shown to the person who asked."""
    with pytest.raises(EmptyTraceError, match="trace not found"):
        decode(body("jaeger", "form-unknown"))


def test_a_partial_trace_says_so() -> None:
    """Tempo's PARTIAL status becomes a note with its message."""
    trace = decode(body("tempo", "filter-error"))
    assert [note.code for note in trace.notes] == ["partial-trace"]


def test_a_body_with_several_traces_names_them() -> None:
    """Search results decode to all their traces; asking for one says that there are more."""
    raw = body("jaeger", "search-traceids")
    assert len(decode_many(raw)) == 2
    with pytest.raises(DecodeError, match="2 traces"):
        decode(raw)


def test_a_wrong_format_label_is_overruled_by_the_content() -> None:
    """Servers lie about content types: the bytes decide."""
    raw = body("tempo", "v2-checkout-slow-pb")
    assert essence(decode(raw, WireFormat.OTLP_PROTOBUF)) == essence(decode(raw, WireFormat.TEMPO_PROTOBUF))
    assert decode(body("jaeger", "trace-checkout-slow"), WireFormat.TEMPO_PROTOBUF).spans


def test_newline_separated_results_are_merged() -> None:
    """Older Jaeger gateways stream several objects: they are one trace."""
    raw = body("jaeger", "v3-trace-checkout-slow")
    data = json.loads(raw)["result"]["resourceSpans"]
    stream = b"\n".join(json.dumps({"result": {"resourceSpans": [part]}}).encode() for part in data)
    assert essence(decode(stream)) == essence(decode(raw))


def protobuf(**attribute) -> bytes:
    """Return a span with one attribute."""
    data = TracesData()
    span = (
        data.resource_spans.add()
        .scope_spans.add()
        .spans.add(trace_id=b"a" * 16, span_id=b"b" * 8, start_time_unix_nano=1)
    )
    span.attributes.add(key="k").value.CopyFrom(AnyValue(**attribute))
    return data.SerializeToString()


def nested(depth: int) -> AnyValue:
    """Return lists in lists."""
    value = AnyValue()
    for _ in range(depth):
        value = AnyValue(array_value=ArrayValue(values=[value]))
    return value


OTLP = '{"resourceSpans": [{"scopeSpans": [{"spans": [{"spanId": "b1", "attributes": [{"key": "k", "value": %s}]}]}]}]}'


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b"<html><body>Sign in</body></html>", "HTML"),
        (b'{"data": [', "not Jaeger JSON"),
        (b"404 page not found", "neither JSON nor protobuf"),
        (gzip.compress(b"{}", mtime=0), "gzipped"),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"spanId": 7}]}]}]}', "not OTLP JSON"),
        (b'{"data":[{"traceID":"zz zz","spans":[{"spanID":"x y","startTime":1}]}]}', "not a trace or span id"),
        (b'{"data": [{"traceID": "\xff"}]}', "not Jaeger JSON"),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "\xff"}]}]}]}', "not OTLP JSON"),
        (b'{"data": [], "more": ' + b"[" * 100_000, "not Jaeger JSON"),
        (b'{"resourceSpans": [], "more": ' + b"[" * 100_000, "not OTLP JSON"),
        ((OTLP % ('{"arrayValue": {"values": [' * 50 + "]}}" * 50)).encode(), "nested too deeply"),
        (protobuf(array_value=nested(45).array_value), "nested too deeply"),
        (protobuf(string_value="cut off in the middle")[:-9], r"ends in the middle of a message \(\d+ bytes\)"),
        (protobuf(string_value="????").replace(b"????", b"\xff\xfe??"), r"not UTF-8 \(byte 0\)"),
    ],
)
def test_bad_bodies_are_said_in_a_sentence(raw, said) -> None:
    """Whatever is wrong is named, and where: garbage, pages, what was cut off, what never stops nesting."""
    with pytest.raises(DecodeError, match=said):
        decode(raw)


def test_the_collector_is_left_as_it_was() -> None:
    """Decoding pauses the garbage collector and brings it back, also after an error."""
    assert gc.isenabled()
    with pytest.raises(DecodeError):
        decode(b"nonsense")
    assert gc.isenabled()
    gc.disable()
    try:
        decode(body("tempo", "v2-short-64bit"))
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_messaging_without_a_parent_reference_is_an_asynchronous_child() -> None:
    """A consumer with one FOLLOWS_FROM and no CHILD_OF hangs under its producer."""
    tags = [{"key": "span.kind", "type": "string", "value": "consumer"}]
    spans = [
        {"traceID": "a1", "spanID": "1", "operationName": "send", "references": [], "startTime": 1, "duration": 2},
        {"traceID": "a1", "spanID": "2", "operationName": "process", "startTime": 5, "duration": 2, "tags": tags,
         "references": [{"refType": "FOLLOWS_FROM", "traceID": "a1", "spanID": "1"}]},
    ]  # fmt: skip
    consumer = decode(json.dumps({"data": [{"traceID": "a1", "spans": spans, "processes": {}}]}).encode()).spans[1]
    assert consumer.parent_id == "0000000000000001"
    assert consumer.follows_from
    assert consumer.kind is SpanKind.CONSUMER


BODIES = [
    body("tempo", "v2-kitchen-sink"),
    body("tempo", "v2-kitchen-sink-pb"),
    body("tempo", "v1-nan-inf-pb"),
    body("jaeger", "trace-kitchen-sink"),
    body("jaeger", "v3-trace-orphans"),
    body("victoria", "trace-kitchen-sink"),
]


@given(st.sampled_from(BODIES), st.data())
@examples(100)
def test_damaged_bodies_never_raise_anything_but_decode_errors(raw, data) -> None:
    """Cut off anywhere, with bytes changed, doubled or removed: a trace or a DecodeError, nothing else."""
    damaged = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(0, len(damaged) - 1)))
        kind = data.draw(st.sampled_from(["cut", "change", "remove", "repeat"]))
        if kind == "cut":
            del damaged[at:]
        elif kind == "change" and damaged:
            damaged[at] = data.draw(st.integers(0, 255))
        elif kind == "remove":
            del damaged[at : at + data.draw(st.integers(1, 40))]
        else:
            damaged[at:at] = damaged[at : at + data.draw(st.integers(1, 40))]
    try:
        traces = decode_many(bytes(damaged), data.draw(st.sampled_from([None, *WireFormat])))
    except DecodeError as error:
        assert str(error)
    else:
        assert all(trace.spans for trace in traces)


@given(st.binary(max_size=300))
@examples(80)
def test_arbitrary_bytes_never_raise_anything_but_decode_errors(raw) -> None:
    """Noise is told as such."""
    try:
        decode_many(raw)
    except DecodeError as error:
        assert str(error)


def test_attributes_are_the_same_each_time_they_are_asked_for() -> None:
    """Attributes that are read from the body when asked for do not change, and hold none that is a field."""
    for span in decode(body("jaeger", "trace-kitchen-sink")).spans:
        first = span.attributes
        first["added"] = "by the first who asked"
        assert "added" not in span.attributes
        assert not {"span.kind", "error", "otel.status_code"} & set(first)


def test_a_trace_knows_the_names_of_all_its_attributes() -> None:
    """The decoder's list of names is what the spans and their events have."""
    trace = decode(body("jaeger", "trace-kitchen-sink"))
    assert trace.names == replace(trace, names=None).attribute_names()


@pytest.mark.parametrize(
    "tags", ['{"key": 1}', '[{"key": 1}]', '[{"value": "v"}]', '"text"', '[{"key": "a", "value": }]']
)
def test_tags_that_are_none_are_refused(tags) -> None:
    """Tags of the wrong shape are an error when the trace is decoded, not when somebody asks for them."""
    text = '{"data": [{"traceID": "a1", "spans": [{"spanID": "b2", "startTime": 1, "tags": %s}]}]}' % tags  # noqa: UP031
    with pytest.raises(DecodeError, match="Jaeger JSON"):
        decode(text.encode())


def test_tags_nested_almost_too_deeply_never_raise() -> None:
    """A tag that a shallow stack can just read is read from any stack, or counts as none."""

    def deeper(frames: int, span) -> dict:
        return deeper(frames - 1, span) if frames else span.attributes

    for depth in range(700, 1_000, 3):
        tags = '[{"key": "a", "value": %s}]' % ("[" * depth + "]" * depth)
        text = '{"data": [{"traceID": "a1", "spans": [{"spanID": "b2", "startTime": 1, "tags": %s}]}]}' % tags  # noqa: UP031
        try:
            (span,) = decode(text.encode()).spans
        except DecodeError:
            break
        assert deeper(60, span).keys() <= {"a"}
    else:
        pytest.fail("no depth was too deep")


@example(["0123456789abcdez"])
@given(st.lists(st.one_of(st.text("0123456789abcdef", min_size=16, max_size=16), st.text("0aF_ =\u0660", max_size=17))))
def test_ids_together_are_ids_one_by_one(texts) -> None:
    """Normalising many ids at once gives what each gives by itself."""
    try:
        expected = [hex_id(text, 16) for text in texts]
    except DecodeError:
        with pytest.raises(DecodeError):
            span_ids(texts)
    else:
        assert span_ids(texts) == expected


def test_a_trace_without_the_answer_around_it_is_read() -> None:
    """What is inside of Jaeger's `data`, the list or a trace, can be all that a file holds; without spans it says so."""
    whole = json.loads(body("jaeger", "trace-short-64bit"))["data"]
    (inside,) = whole
    for held in (whole, inside):
        assert essence(decode(json.dumps(held).encode())) == essence(decode(body("jaeger", "trace-short-64bit")))
    with pytest.raises(EmptyTraceError):
        decode(json.dumps({**inside, "spans": []}).encode())


@pytest.mark.parametrize(
    ("codes", "read"),
    [
        ({"http.response.status_code": "", "http.status_code": 503}, "503"),
        ({"http.response.status_code": None}, ""),
    ],
)
def test_a_status_code_that_says_nothing_is_none(codes, read) -> None:
    """An empty tag does not hide what another one says, and by itself means that nothing was answered."""
    tags = [{"key": key, "value": value} for key, value in codes.items()]
    span = {"spanID": "b" * 16, "operationName": "x", "startTime": 1, "duration": 1, "tags": tags}
    (decoded,) = decode(json.dumps({"data": [{"traceID": "a" * 32, "spans": [span]}]}).encode()).spans
    assert semconv.http_status(decoded) == read


@pytest.mark.parametrize("named", [None, "", "  ", "missing-service-name"])
def test_a_sender_without_a_name_is_called_so(named) -> None:
    """No sentence ends in nothing: what does not name itself has a name for people, in every dialect the same."""
    said = [] if named is None else [{"key": "service.name", "value": {"stringValue": named}}]
    span = {"traceId": "a" * 32, "spanId": "b" * 16, "name": "x", "startTimeUnixNano": "1", "endTimeUnixNano": "2"}
    otlp = {"resourceSpans": [{"resource": {"attributes": said}, "scopeSpans": [{"spans": [span]}]}]}
    process = {} if named is None else {"p1": {"serviceName": named}}
    jaeger_span = {
        "traceID": "a" * 32,
        "spanID": "b" * 16,
        "operationName": "x",
        "startTime": 1,
        "duration": 1,
        "processID": "p1",
    }
    jaeger = {"data": [{"traceID": "a" * 32, "spans": [jaeger_span], "processes": process}]}
    for sent in (otlp, jaeger):
        assert decode(json.dumps(sent).encode()).spans[0].service == "(no service name)"
