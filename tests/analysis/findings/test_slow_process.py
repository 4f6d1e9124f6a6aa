"""slow-process: a service slow in all it does."""

from __future__ import annotations

from requests_drawn import queried

from analysis import compare
from analysis.model import SpanKind


def test_a_process_slow_in_everything_is_named_once(trace) -> None:
    """Two callers losing time at one callee accuse the callee as a whole."""
    sides = []
    for lost in (1, 90):
        t = trace()
        root = t.span("GET /", 0, 60 + 2 * lost, kind=SpanKind.SERVER, service="front")
        for i, caller in enumerate(("ads", "cart")):
            begin = 5 + i * (25 + lost)
            up = t.span(
                "GET",
                begin,
                begin + 22 + lost,
                root,
                kind=SpanKind.CLIENT,
                service="front",
                attributes={"http.method": "GET", "http.url": f"http://{caller}/x"},
            )
            mid = t.span("GET /x", begin + 1, begin + 21 + lost, up, kind=SpanKind.SERVER, service=caller)
            down = t.span(
                "GET",
                begin + 2,
                begin + 20 + lost,
                mid,
                kind=SpanKind.CLIENT,
                service=caller,
                attributes={"http.method": "GET", "http.url": "http://stock/s"},
            )
            t.span(
                "GET /s",
                begin + 3 + lost,
                begin + 19 + lost,
                down,
                kind=SpanKind.SERVER,
                service="stock",
                resource={"k8s.pod.name": "stock-7"},
            )
        sides.append(t.build())
    first = compare(*sides).causes[0]
    assert (first.finding, first.service) == ("slow-process", "stock")
    assert "stock-7" in first.summary


def test_one_slow_operation_does_not_accuse_its_process(trace) -> None:
    """A single slow operation is named by itself."""
    result = compare(queried(trace).build(), queried(trace, own=300).build())
    assert [cause.finding for cause in result.causes] == ["operation-slower"]
