"""cold-start: what is set up on first use."""

from __future__ import annotations

from analysis import compare
from analysis.comparison import VerdictKind
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


def invoked(trace, *new: tuple[str, str], cold: bool = True, own: float = 20):
    """Return a trace that invokes a function after some spans of 400 ms, each a service and a name."""
    t = trace()
    wait = 400 * len(new)
    root = t.span("GET /", 0, 40 + own + wait, kind=SpanKind.SERVER, service="front")
    call = t.span("invoke", 5, 40 + wait, root, kind=SpanKind.CLIENT, service="front")
    for i, (service, name) in enumerate(new):
        t.span(name, 6 + 400 * i, 406 + 400 * i, call, service=service)
    told = {"faas.coldstart": cold}
    t.span("handler", 7 + wait, 38 + wait, call, kind=SpanKind.SERVER, service="fn", attributes=told)
    return t.build()


def test_a_span_of_the_set_up_is_no_new_call(trace, only) -> None:
    """A platform that shows how it starts a function calls nothing new: the function started cold."""
    result = compare(invoked(trace, cold=False), invoked(trace, ("fn", "Initialization")))
    first = result.causes[0]
    assert (first.finding, first.service, first.operation) == ("cold-start", "fn", "Initialization")
    assert first.summary.endswith("now calls Initialization: a cold start, faas.coldstart is true in B, not in A")
    assert first.delta_ns == 400_000_000
    assert only(result, "new-calls") is None


def test_a_new_call_of_another_service_is_one_beside_a_cold_start(trace, only) -> None:
    """Only what the started service does itself is its set-up."""
    result = compare(invoked(trace, cold=False), invoked(trace, ("fn", "Initialization"), ("front", "sign request")))
    assert only(result, "cold-start").operation == "Initialization"
    assert only(result, "new-calls").operation == "sign request"


def test_a_new_span_before_a_warm_function_is_a_new_call(trace, only) -> None:
    """Without a cold start that is stated nothing is known to be set up."""
    result = compare(invoked(trace, cold=False), invoked(trace, ("fn", "Initialization"), cold=False))
    assert only(result, "cold-start") is None
    assert result.causes[0].finding == "new-calls"


def test_a_faster_request_that_starts_cold_still_tells_what_is_new(trace, only) -> None:
    """A cold start explains no improvement; the new span is told as what it is."""
    result = compare(invoked(trace, cold=False, own=3_000), invoked(trace, ("fn", "Initialization")))
    assert result.verdict.kind is VerdictKind.FASTER
    assert only(result, "new-calls").operation == "Initialization"
    assert only(result, "cold-start") is None
