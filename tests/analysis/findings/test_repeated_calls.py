"""repeated-calls: an operation calls another many times more than before."""

from __future__ import annotations

from requests_drawn import DB, found, queried

from analysis import compare
from analysis.comparison import CauseKind
from analysis.model import SpanKind


def test_repeated_calls(trace) -> None:
    """One query that became thirty is a repetition, with both counts."""
    result = compare(queried(trace).build(), queried(trace, calls=30).build())
    first = result.causes[0]
    assert (first.finding, first.kind) == ("repeated-calls", CauseKind.MORE_CALLS)
    assert "30 times instead of 1" in first.summary


def test_repeated_calls_are_silent_for_a_few_more(trace) -> None:
    """Two quick queries instead of one are neither an N+1 nor the cause of anything."""
    a, b = queried(trace, own=100, query=1), queried(trace, own=140, query=1, calls=2)
    assert "repeated-calls" not in found(compare(a.build(), b.build()))


def test_calls_below_a_repeated_caller_are_not_named_again(trace) -> None:
    """When a caller is called ten times more often, its own calls are not each a finding."""
    sides = []
    for times in (1, 10):
        t = trace()
        root = t.span("GET /", 0, 100 * times, kind=SpanKind.SERVER)
        for i in range(times):
            call = t.span("load", 100 * i, 100 * i + 90, root)
            t.span("SELECT", 100 * i + 10, 100 * i + 80, call, kind=SpanKind.CLIENT, attributes=DB)
        sides.append(t.build())
    result = compare(*sides)
    assert [f.operation for f in result.findings if f.finding == "repeated-calls"] == ["load"]


def test_two_further_calls_that_cost_the_difference_are_named(trace) -> None:
    """Three remote calls of 100 ms instead of one are the cause, few as they are."""
    sides = []
    for times in (1, 3):
        t = trace()
        root = t.span("GET /", 0, 110 * times + 10, kind=SpanKind.SERVER)
        for i in range(times):
            call = t.span("GET", 5 + 110 * i, 110 + 110 * i, root, kind=SpanKind.CLIENT)
            t.span("GET /rates", 7 + 110 * i, 108 + 110 * i, call, kind=SpanKind.SERVER, service="rates")
        sides.append(t.build())
    first = compare(*sides).causes[0]
    assert (first.finding, first.kind, first.peer_service) == ("repeated-calls", CauseKind.MORE_CALLS, "rates")
    assert "3 times instead of 1" in first.summary
    assert first.share > 0.9
