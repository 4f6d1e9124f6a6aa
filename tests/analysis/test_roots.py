"""Which requests are comparable: what the roots say, and what they lead to."""

from __future__ import annotations

import pytest

from analysis import compare
from analysis.comparison import VerdictKind
from analysis.model import SpanKind

CLIENT, SERVER = SpanKind.CLIENT, SpanKind.SERVER


def entered(trace, name: str, *, took: float = 40):
    """Return a request that a browser sends to one of a shop's operations."""
    t = trace()
    root = t.span("GET", 0, took + 10, kind=CLIENT, service="browser")
    serve = t.span(name, 5, 5 + took, root, kind=SERVER, service="shop")
    t.span(f"SELECT {name}", 8, took, serve, kind=CLIENT, service="shop", attributes={"db.system": "mysql"})
    return t.build()


def test_one_browser_that_asks_two_things_is_two_operations(trace) -> None:
    """Both roots are `browser GET`; what they lead to tells that these are different requests."""
    result = compare(entered(trace, "GET /items"), entered(trace, "GET /basket", took=400))
    assert result.verdict.kind is VerdictKind.NOT_COMPARABLE


def test_one_browser_that_asks_one_thing_twice_is_one_operation(trace) -> None:
    """The way in and what it leads to are the same."""
    result = compare(entered(trace, "GET /items"), entered(trace, "GET /items", took=400))
    assert result.verdict.kind is VerdictKind.SLOWER


def nested(trace, *, whole: bool, inner: float, gateway: str = "gateway"):
    """Return a request, alone or as what a gateway forwards or a larger request makes among other calls."""
    t = trace()
    root = None
    if whole:
        root = t.span("POST /all", 0, 400, kind=SERVER, service=gateway)
        t.span("sign in", 2, 390 - inner, root, service=gateway)
        root = t.span("GET", 392 - inner, 396, root, kind=CLIENT, service=gateway)
    start = 393 - inner if whole else 0
    serve = t.span("GET /items", start, start + inner, root, kind=SERVER, service="shop")
    t.span(
        "SELECT", start + 1, start + inner - 1, serve, kind=CLIENT, service="shop", attributes={"db.system": "mysql"}
    )
    return t.build()


@pytest.mark.parametrize("swapped", [False, True])
def test_a_small_part_of_a_larger_request_is_not_that_request(trace, swapped) -> None:
    """B is what A also does somewhere for a tenth of its time: two different questions, in either order."""
    sides = [nested(trace, whole=True, inner=40), nested(trace, whole=False, inner=40)]
    assert compare(*(reversed(sides) if swapped else sides)).verdict.kind is VerdictKind.NOT_COMPARABLE


@pytest.mark.parametrize("swapped", [False, True])
def test_a_gateway_around_a_request_is_a_layer(trace, swapped) -> None:
    """When the request inside takes most of the time, what stands around it is a way in, on either side."""
    sides = [nested(trace, whole=True, inner=350), nested(trace, whole=False, inner=350)]
    result = compare(*(reversed(sides) if swapped else sides))
    assert result.verdict.kind is not VerdictKind.NOT_COMPARABLE
    assert any(note.code == "outer-layer" for note in result.notes)
