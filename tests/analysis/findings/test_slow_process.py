"""slow-process: a service slow in all it does."""

from __future__ import annotations

import pytest
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


def answered(trace, lost: float, size: int):
    """Return a trace of a call whose server loses time (ms) before its answer and after it, and says its size."""
    t = trace()
    root = t.span("GET /", 0, 60 + 2 * lost, kind=SpanKind.SERVER, service="front")
    call = t.span("GET", 5, 40 + 2 * lost, root, kind=SpanKind.CLIENT, service="front")
    told = {"http.response.body.size": size}
    t.span("GET /export", 7, 38 + lost, call, kind=SpanKind.SERVER, service="reports", attributes=told)
    return t.build()


def test_work_and_calls_slow_together_accuse_their_process(trace) -> None:
    """An operation that is slow itself, and slow to be reached, is slow because its process is."""
    first = compare(answered(trace, 1, 2_000), answered(trace, 300, 2_100)).causes[0]
    assert (first.finding, first.service) == ("slow-process", "reports")
    assert "1 call to it and 1 of its operations lost time" in first.summary


def test_what_says_why_it_is_slow_accuses_no_process(trace, only) -> None:
    """A large answer takes long to make and to send: that is one cause, and nothing is wrong with the process."""
    result = compare(answered(trace, 1, 2_000), answered(trace, 300, 50_000_000))
    (cause,) = result.causes
    assert (cause.finding, cause.service, cause.peer_service) == ("payload-growth", "reports", "front")
    assert cause.delta_ns == result.response_time.delta_ns == 598_000_000
    assert only(result, "slow-process") is None


def worked(trace, *factors: float, kind: SpanKind = SpanKind.INTERNAL):
    """Return a trace of one service whose operations, 4 ms each, take so many times as long."""
    t = trace()
    root = t.span("GET /", 0, 4 * sum(factors) + 2, kind=SpanKind.SERVER, service="front")
    at = 1.0
    for i, factor in enumerate(factors):
        t.span(f"step {'abcdef'[i]}", at, at + 4 * factor, root, service="orders", kind=kind,
               attributes={"net.peer.name": f"store-{'abcdef'[i]}"} if kind is SpanKind.CLIENT else {})  # fmt: skip
        at += 4 * factor
    return t.build()


def test_a_process_slow_in_all_it_does_itself_is_named_once(trace) -> None:
    """Several operations of one service, none as quick as before: the service is slow, not each of them."""
    (cause,) = compare(worked(trace, 1, 1, 1, 1), worked(trace, 9, 10, 11, 10)).causes
    assert (cause.finding, cause.service) == ("slow-process", "orders")
    assert "4 of its operations lost time" in cause.summary
    assert cause.delta_ns == 144_000_000


@pytest.mark.parametrize("factors", [(9, 10, 11, 1), (10, 10)])
def test_some_slow_operations_accuse_no_process(trace, only, factors) -> None:
    """Where one operation is as quick as before, or there are few of them, each is named by itself."""
    result = compare(worked(trace, *[1] * len(factors)), worked(trace, *factors))
    assert only(result, "slow-process") is None
    assert {cause.finding for cause in result.causes} == {"operation-slower"}


def test_calls_that_are_slow_accuse_no_process(trace, only) -> None:
    """What several stores take longer for is no work of their caller."""
    a, b = (worked(trace, *[factor] * 4, kind=SpanKind.CLIENT) for factor in (1, 10))
    assert only(compare(a, b), "slow-process") is None
