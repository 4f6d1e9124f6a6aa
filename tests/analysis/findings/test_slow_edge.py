"""slow-edge: time lost between a client and its server."""

from __future__ import annotations

from requests_drawn import DB

from analysis import compare
from analysis.comparison import CauseKind
from analysis.model import SpanKind


def called(trace, before: float, after: float, *, others: float = 1):
    """Return a trace in which front calls stock (with gaps around its server span) and cart."""
    t = trace()
    total = before + 20 + after
    root = t.span("GET /", 0, total + 40, kind=SpanKind.SERVER, service="front")
    cart = t.span(
        "GET",
        1,
        11 + 2 * others,
        root,
        kind=SpanKind.CLIENT,
        service="front",
        attributes={"http.method": "GET", "http.url": "http://cart/c"},
    )
    t.span("GET /c", 1 + others, 11 + others, cart, kind=SpanKind.SERVER, service="cart")
    stock = t.span(
        "GET",
        30,
        30 + total,
        root,
        kind=SpanKind.CLIENT,
        service="front",
        attributes={"http.method": "GET", "http.url": "http://stock/s"},
    )
    serve = t.span("GET /s", 30 + before, 50 + before, stock, kind=SpanKind.SERVER, service="stock")
    t.span("SELECT", 32 + before, 48 + before, serve, kind=SpanKind.CLIENT, service="stock", attributes=DB)
    return t.build()


def test_a_slow_line_names_both_ends(trace) -> None:
    """Time lost on both sides of an unchanged server span is the network between the two services."""
    first = compare(called(trace, 1, 1), called(trace, 80, 80)).causes[0]
    assert first.kind is CauseKind.NETWORK
    assert {first.service, first.peer_service} == {"front", "stock"}
    assert any("before the server's span starts" in line for line in first.evidence)


def test_time_lost_before_the_server_starts_accuses_the_callee(trace) -> None:
    """A request that waits to be accepted waits at the callee."""
    first = compare(called(trace, 1, 1), called(trace, 160, 1)).causes[0]
    assert first.service == "stock"
    assert first.peer_service == "front"


def test_a_slow_server_is_not_blamed_on_the_way_to_it(trace, only) -> None:
    """When the server's own span grew with its client's, the connection is as before."""
    sides = []
    for took in (20, 300):
        t = trace()
        root = t.span("GET /", 0, took + 20, kind=SpanKind.SERVER, service="front")
        call = t.span("GET", 5, took + 15, root, kind=SpanKind.CLIENT, service="front")
        t.span("GET /s", 6, took + 14, call, kind=SpanKind.SERVER, service="stock")
        sides.append(t.build())
    assert only(compare(*sides), "slow-edge") is None


def looked_up(trace, lookups: tuple[float, float], *, wait: float = 1):
    """Return a trace of two calls that look up a name first (ms each), the later of which then waits."""
    t = trace()
    root = t.span("GET /", 0, sum(lookups) + wait + 80, kind=SpanKind.SERVER, service="front")
    at = 5.0
    for lookup, rest, peer in zip(lookups, (1, wait), ("cart", "stock"), strict=True):
        up = at + lookup + rest
        url = {"http.method": "GET", "http.url": f"http://{peer}/x"}
        call = t.span("GET", at, up + 22, root, kind=SpanKind.CLIENT, service="front", attributes=url)
        t.span("dns.lookup", at, at + lookup, call, service="front")
        t.span("GET /x", up, up + 20, call, kind=SpanKind.SERVER, service=peer)
        at = up + 30
    return t.build()


def test_what_a_client_has_a_span_for_is_no_time_of_the_connection(trace) -> None:
    """Two slow name lookups are named by their spans; neither the lines behind them nor the caller is slow."""
    result = compare(looked_up(trace, (1, 1)), looked_up(trace, (250, 230)))
    assert [(cause.finding, cause.operation) for cause in result.causes] == [("operation-slower", "dns.lookup")]
    assert {finding.finding for finding in result.findings} == {"operation-slower"}


def test_time_beside_what_a_client_has_a_span_for_is_the_connection_s(trace) -> None:
    """A call that looks its name up as quickly as before and then waits is a slow connection, by what it waited."""
    first = compare(looked_up(trace, (1, 1)), looked_up(trace, (1, 1), wait=300)).causes[0]
    assert (first.finding, {first.service, first.peer_service}) == ("slow-edge", {"front", "stock"})
    assert "302 ms between front and stock instead of 3.00 ms" in first.summary
