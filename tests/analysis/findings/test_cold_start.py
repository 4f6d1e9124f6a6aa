"""cold-start: what is set up on first use."""

from __future__ import annotations

from analysis import compare
from analysis.model import SpanKind


def priced(trace, durations: list[float], *, cold: bool | None = None):
    """Return a trace that calls one operation once per duration (ms)."""
    t = trace()
    root = t.span("GET /cart", 0, sum(durations) + 10, kind=SpanKind.SERVER)
    at = 5.0
    for took in durations:
        attributes = {} if cold is None else {"faas.coldstart": cold}
        t.span("price", at, at + took, root, service="pricing", attributes=attributes)
        at += took
    return t.build()


def test_a_slow_first_call_among_quick_ones_is_a_cold_start(trace) -> None:
    """The first of five calls pays; the later ones show what is usual."""
    result = compare(priced(trace, [10] * 5), priced(trace, [300, 10, 10, 11, 10]))
    first = result.causes[0]
    assert (first.finding, first.service, first.operation) == ("cold-start", "pricing", "price")
    assert any("the first of 5 calls takes 300 ms, the later ones 10" in line for line in first.evidence)


def test_a_platform_that_says_so_is_believed(trace) -> None:
    """The attribute that serverless platforms set is enough for a single call."""
    first = compare(priced(trace, [10], cold=False), priced(trace, [400], cold=True)).causes[0]
    assert first.finding == "cold-start"
    assert "faas.coldstart is true in B, not in A" in first.evidence


def test_calls_that_are_all_slow_are_no_cold_start(trace, only) -> None:
    """When later calls are slow too, nothing was merely set up."""
    assert only(compare(priced(trace, [10] * 5), priced(trace, [100] * 5)), "cold-start") is None


def test_a_slow_call_in_the_middle_is_no_cold_start(trace, only) -> None:
    """Only the first call can be cold."""
    assert only(compare(priced(trace, [10] * 5), priced(trace, [10, 10, 300, 10, 10])), "cold-start") is None


def test_a_first_call_that_was_slow_before_is_no_change(trace, only) -> None:
    """A set-up that A paid as well is not new."""
    a, b = priced(trace, [100, 5, 5, 5, 5]), priced(trace, [400, 5, 5, 5, 5])
    assert only(compare(a, b), "cold-start") is None


def test_a_platform_that_starts_before_its_first_span_is_cold_as_well(trace) -> None:
    """The time lies between the call and the handler, which says that it was the first."""
    sides = []
    for wait, cold in ((1, False), (900, True)):
        t = trace()
        root = t.span("GET /", 0, 60 + wait, kind=SpanKind.SERVER, service="front")
        call = t.span("invoke", 5, 40 + wait, root, kind=SpanKind.CLIENT, service="front")
        told = {"faas.coldstart": cold}
        t.span("handler", 5 + wait, 38 + wait, call, kind=SpanKind.SERVER, service="fn", attributes=told)
        sides.append(t.build())
    first = compare(*sides).causes[0]
    assert (first.finding, first.service, first.peer_service) == ("cold-start", "fn", "front")
