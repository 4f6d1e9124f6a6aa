"""Shapes: spans of one name are told apart by text without ids, the same for every way of reading a trace."""

from __future__ import annotations

import re

from exchanges import body
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from analysis import decode
from analysis.semconv import http_status
from analysis.shape import Shapes

PLAIN = re.compile(r"\b[0-9a-f]{6,}\b|\d\d+")


@given(st.text(alphabet="0123456789abcdefgz _-/é٣F\n", max_size=30))
def test_a_shape_has_no_long_numbers_and_no_hex_words(text) -> None:
    """The quick expression replaces exactly what the plain one does."""
    if text:
        assert Shapes().of({"db.statement": text}) == PLAIN.sub("0", text)


@given(st.text(alphabet="0123456789abcdefg -", min_size=1, max_size=30))
def test_a_shape_is_its_own_shape(text) -> None:
    """A text without ids can be looked up as it is."""
    shape = Shapes().of({"http.url": text})
    assert Shapes().of({"http.url": shape}) == shape


def test_what_the_decoder_found_is_what_the_attributes_say() -> None:
    """The shape and the status code noted while decoding are those that the span's attributes give."""
    shapes = Shapes()
    for name in ("trace-kitchen-sink", "trace-checkout-slow"):
        for span in decode(body("jaeger", name)).spans:
            assert span.shape == shapes.of(span.attributes)
            assert span.http_status == http_status(replace(span, http_status=None))


def test_the_first_text_that_says_anything_tells() -> None:
    """An empty attribute does not hide what the next one says."""
    says = {"db.statement": "SELECT 1", "db.query.text": "SELECT 1"}
    for empty in says:
        assert Shapes().of({**says, empty: ""}) == Shapes().of({name: says[name] for name in says if name != empty})
