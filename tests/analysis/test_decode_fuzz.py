"""Decoding hostile bytes: every recorded body, damaged in every way, is a trace or a DecodeError, at bounded cost."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from exchanges import FOLDER
from hypothesis import given
from hypothesis import strategies as st
from proving import examples

from analysis import DecodeError, WireFormat, compare, decode_many, render_text


def recorded(suffix: str) -> dict[str, bytes]:
    """Return every recorded body that holds a trace, by name."""
    found = {}
    for file in sorted(FOLDER.rglob(f"*{suffix}")):
        raw = file.read_bytes()
        try:
            decode_many(raw)
        except DecodeError:
            continue
        found[f"{file.parent.name}/{file.name}"] = raw
    return found


JSON, PROTOBUF = recorded(".json"), recorded(".pb")
FORMATS = st.sampled_from([None, *WireFormat])

ODD: list[Any] = [
    *(None, True, False, 0, -1, 2**31, 2**63, 2**64, -(2**63), 10**25, 10**400, 1.5, -0.0, 1e308),
    *("", " ", "²", "٣", "-1", "1e999", "NaN", "x" * 300, "00" * 16, "zz", "0x12", "9" * 30, "9" * 4_000, "9" * 5_000),
    *([], {}, [[]], [None], [{}], {"": None}, {"key": "x", "value": {}}, {"stringValue": 1}, ["client"], {"a": ["b"]}),
    *("SPAN_KIND_SERVER", "client", "PARTIAL", "ERROR", "\ud800", "\x00\x1b[31m", "a\nb"),
]


NESTED = {  # written into the body in the place of their names: too deep for the encoder that the test uses
    f"@{name} {depth}": b'"x"'.join((opening * depth, closing * depth))
    for depth in (3, 30, 300, 900)
    for name, opening, closing in (
        ("list", b"[", b"]"),
        ("map", b'{"k":', b"}"),
        ("array value", b'{"arrayValue":{"values":[', b"]}}"),
        ("map value", b'{"kvlistValue":{"values":[{"key":"k","value":', b"}]}}"),
    )
}
ODD += NESTED


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the paths of all values below the top."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    found = [path] if path else []
    for key, value in inner:
        found += places(value, (*path, key))
    return found


PLACES = {name: places(json.loads(raw)) for name, raw in JSON.items()}


@st.composite
def rewritten(draw: st.DrawFn) -> bytes:
    """A recorded JSON body with some of its values replaced, removed, doubled or moved."""
    name = draw(st.sampled_from(sorted(JSON)))
    body = json.loads(JSON[name])
    for _ in range(draw(st.integers(1, 3))):
        *above, last = draw(st.sampled_from(PLACES[name]))
        holder = body
        try:
            for key in above:
                holder = holder[key]
            match draw(st.sampled_from(["replace", "replace", "remove", "double", "rename"])):
                case "replace":
                    holder[last] = deepcopy(draw(st.sampled_from(ODD)))
                case "remove":
                    del holder[last]
                case "double":
                    holder.append(deepcopy(holder[last]))
                case _:
                    holder[draw(st.sampled_from(["key", "value", "spans", "type", ""]))] = holder.pop(last)
        except (LookupError, TypeError, AttributeError):
            continue  # an earlier change took the place away
    raw = json.dumps(body).encode()
    for word, nested in NESTED.items():
        raw = raw.replace(json.dumps(word).encode(), nested)
    return raw


@st.composite
def corrupted(draw: st.DrawFn) -> bytes:
    """A recorded protobuf body with bits flipped, lengths and numbers blown up, parts cut, doubled and moved."""
    damaged = bytearray(PROTOBUF[draw(st.sampled_from(sorted(PROTOBUF)))])
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(damaged) - 1)))
        piece = bytes(damaged[at : at + draw(st.integers(1, 60))])
        match draw(st.sampled_from(["bit", "byte", "cut", "length", "number", "double", "remove", "move"])):
            case "bit" if damaged:
                damaged[at] ^= 1 << draw(st.integers(0, 7))
            case "byte" if damaged:
                damaged[at] = draw(st.integers(0, 255))
            case "cut":
                del damaged[at:]
            case "length":
                damaged[at:at] = draw(
                    st.sampled_from([b"\x0a\xff\xff\xff\xff\x0f", b"\x12\xff\xff\xff\xff\xff\xff\x7f"])
                )
            case "number":
                damaged[at:at] = b"\xff" * draw(st.integers(1, 12))
            case "double":
                damaged[at:at] = piece * draw(st.integers(1, 4))
            case "remove":
                del damaged[at : at + len(piece)]
            case _:
                damaged += piece
    return bytes(damaged)


def check(raw: bytes, wire: WireFormat | None) -> None:
    """Decode, and use what came out as a comparison does."""
    try:
        traces = decode_many(raw, wire)
    except DecodeError as error:
        said = str(error)
        assert said
        assert len(said) < 400
        assert said.isprintable()
        return
    result = compare(traces[0], traces[-1])
    assert render_text(result)
    assert json.loads(result.to_json())


@given(rewritten(), FORMATS)
@examples(100)
def test_json_with_values_of_other_types_is_decoded_or_refused_in_a_sentence(raw, wire) -> None:
    """Types swapped, values nested, keys moved, numbers without end: nothing but a DecodeError comes out."""
    check(raw, wire)


@given(corrupted(), FORMATS)
@examples(80)
def test_corrupted_protobuf_is_decoded_or_refused_in_a_sentence(raw, wire) -> None:
    """Broken lengths and numbers, at any depth of the message, end in a DecodeError."""
    check(raw, wire)


@given(st.sampled_from(sorted({**JSON, **PROTOBUF}.items())), st.data())
@examples(80)
def test_bodies_cut_anywhere_are_decoded_or_refused_in_a_sentence(recording, data) -> None:
    """A connection that broke in the middle: every recorded body, ended at any byte or with any byte changed."""
    _, raw = recording
    at = data.draw(st.integers(0, len(raw) - 1))
    damaged = (
        raw[:at] if data.draw(st.booleans()) else raw[:at] + bytes([data.draw(st.integers(0, 255))]) + raw[at + 1 :]
    )
    check(damaged, data.draw(FORMATS))


SPAN = '{"data": [{"traceID": "a1", "spans": [{"spanID": "b2", "startTime": 1}, %s]}]}'
OTLP = '{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "a1", "spanId": "b2"}, %s]}]}]}'


@pytest.mark.parametrize(
    ("body", "what", "where"),
    [
        (SPAN % '{"spanID": "c3", "startTime": "soon"}', "Expected `int`, got `str`", "$.data[0].spans[1].startTime"),
        (SPAN % '{"startTime": 1}', "required field `spanID`", "$.data[0].spans[1]"),
        (SPAN % '{"spanID": "c3", "startTime": 1e300}', "Expected `int`", "$.data[0].spans[1].startTime"),
        (
            SPAN % '{"spanID": "c3", "startTime": 1, "tags": [{"key": 7}]}',
            "Expected `str`, got `int`",
            "tags of span 'c3'",
        ),
        (SPAN % '{"spanID": "<b>", "startTime": 1}', "not a trace or span id", "'<b>'"),
        (OTLP % '{"spanId": 3}', "Expected `str`, got `int`", "$.resourceSpans[0].scopeSpans[0].spans[1].spanId"),
        (OTLP % '{"spanId": "c3", "startTimeUnixNano": "soon"}', "not a time in nanoseconds", "'soon'"),
        (OTLP % '{"spanId": "c3", "endTimeUnixNano": "99999999999999999999999"}', "not a time in nanoseconds", "9999"),
        (OTLP % '{"spanId": "c3", "attributes": {}}', "Expected `array", "spans[1].attributes"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(body, what, where) -> None:
    """Whoever has to mend the sender reads what was expected and where."""
    with pytest.raises(DecodeError) as refused:
        decode_many(body.encode())
    assert what in str(refused.value)
    assert where in str(refused.value)


@pytest.mark.parametrize("kind", [["client"], {"a": 1}, 3.0, True, 10**30, "²", "٣", "9" * 4_000, None, ""])
@pytest.mark.parametrize("shape", ["jaeger", "otlp"])
def test_a_span_kind_of_any_type_is_read_or_refused(shape, kind) -> None:
    """Numbers that only look like digits, lists and maps as kinds end in a kind or in a DecodeError."""
    said = json.dumps(kind)
    tag = f'{{"spanID": "c3", "startTime": 1, "tags": [{{"key": "span.kind", "value": {said}}}]}}'
    body = SPAN % tag if shape == "jaeger" else OTLP % f'{{"traceId": "a1", "spanId": "c3", "kind": {said}}}'
    check(body.encode(), None)


DEPTH = 100_000
ENDLESS = {
    "lists in lists": b"[" * DEPTH,
    "maps in maps": b'{"a":' * DEPTH,
    "values in values": b'{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":' + b'{"arrayValue":{"values":[' * 9_000,
    "tags in tags": b'{"data":[{"spans":[{"spanID":"a","startTime":1,"tags":' + b"[" * DEPTH + b"]" * DEPTH + b"}]}]}",
    "objects on lines": b"{}\n" * 30_000,
    "broken objects on lines": b"{}\n" * 30_000 + b"{",
    "blanks": b" " * DEPTH + b"x",
    "digits": b'{"data":[{"spans":[{"spanID":"a","startTime":' + b"9" * DEPTH + b"}]}]}",
    "an id": b'{"data":[{"spans":[{"spanID":"' + b"a" * DEPTH + b'","startTime":1}]}]}',
    "empty protobuf fields": b"\x0a\x00" * (DEPTH // 2),
    "empty scopes": b"\x0a\x80\x80\x06" + b"\x12\x00" * 49_152,
    "a length beyond the end": b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f" * 100,
    "messages in messages": b"".join(b"\x0a" + bytes([0x80 | (n & 127), 0x80 | (n >> 7 & 127), n >> 14]) for n in range(90_000, 0, -4)),
    "a number without end": b"\x08" + b"\xff" * DEPTH,
}  # fmt: skip


@pytest.mark.parametrize("name", ENDLESS)
def test_no_body_costs_more_than_its_size(name) -> None:
    """Nesting without end, huge declared lengths, a million empty parts: the work is bounded by the bytes sent."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        with suppress(DecodeError):
            decode_many(ENDLESS[name])
    finally:
        sys.setprofile(None)
    assert calls < 1_000 + 4 * len(ENDLESS[name])
