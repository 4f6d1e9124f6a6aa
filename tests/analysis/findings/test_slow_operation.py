"""operation-slower: the calls themselves take longer."""

from __future__ import annotations

import pytest
from requests_drawn import found, queried

from analysis import compare
from analysis.comparison import CauseKind, VerdictKind
from analysis.model import SpanKind


def test_operation_slower(trace) -> None:
    """A query that takes longer is named, with what it does; the callers above it are not."""
    result = compare(queried(trace).build(), queried(trace, query=200).build())
    assert result.verdict.kind is VerdictKind.SLOWER
    assert [c.operation for c in result.causes] == ["SELECT"]
    assert result.causes[0].kind is CauseKind.SELF_TIME_INCREASE
    assert any("stock" in line for line in result.causes[0].evidence)


def test_a_call_that_the_trace_sees_into_is_not_called_blind(trace) -> None:
    """A query shows on both sides what it did inside, and takes longer beside that: nothing is said to be hidden."""
    sides = []
    for took in (20, 220):
        t = trace()
        root = t.span("GET /", 0, took + 10, kind=SpanKind.SERVER)
        query = t.span("SELECT", 5, 5 + took, root, kind=SpanKind.CLIENT, attributes={"db.system": "postgresql"})
        t.span("decode rows", 6, 10, query)
        sides.append(t.build())
    (cause,) = compare(*sides).causes
    assert (cause.finding, cause.operation) == ("operation-slower", "SELECT")
    assert "cannot see inside" not in " ".join(cause.evidence)


def test_operation_slower_is_silent_for_jitter(trace) -> None:
    """A few per cent more or less are nothing."""
    result = compare(queried(trace).build(), queried(trace, own=21, query=10.4).build())
    assert result.verdict.kind is VerdictKind.NO_MEANINGFUL_DIFFERENCE
    assert found(result) == set()


def test_a_slow_operation_tells_what_differs_about_itself(trace) -> None:
    """Flags, sizes and the instance that differ are evidence; ids, ports and small variations are not."""
    sides = []
    for slow, rows, flag, pod in ((1, 40, "off", "shop-1"), (200, 9000, "on", "shop-2")):
        t = trace()
        attributes = {
            "db.response.returned_rows": rows, "feature_flag.result.variant": flag, "user.id": f"u{slow}",
            "net.peer.port": 1000 + slow, "thread.id": slow, "http.response.body.size": 1000 + slow,
        }  # fmt: skip
        t.span("GET /", 0, 20 + slow, kind=SpanKind.SERVER, attributes=attributes, resource={"k8s.pod.name": pod})
        sides.append(t.build())
    evidence = " | ".join(compare(*sides).causes[0].evidence)
    assert "db.response.returned_rows: 40 in A, 9,000 in B" in evidence
    assert "feature_flag.result.variant: off in A, on in B" in evidence
    assert "instance: shop-1 in A, shop-2 in B" in evidence
    for noise in ("user.id", "port", "thread", "body.size"):
        assert noise not in evidence


def test_work_beside_the_response_counts_alike_in_both_directions(trace) -> None:
    """The response takes a little longer, what now goes on after it far longer: swapped, that is no faster request."""
    sides = []
    for own, after in ((10, 3), (12, 400)):
        t = trace()
        root = t.span("POST /order", 0, own, kind=SpanKind.SERVER)
        t.span("write archive", 5, 5 + after, root)
        sides.append(t.build())
    there, back = compare(*sides), compare(*reversed(sides))
    assert (there.verdict.kind, back.verdict.kind) == (VerdictKind.CHANGED, VerdictKind.CHANGED)
    assert [result.causes[0].operation for result in (there, back)] == ["write archive"] * 2
    assert there.causes[0].delta_ns == -back.causes[0].delta_ns == 397_000_000


def rendered(trace, *took: float):
    """Return a trace of calls of one operation, each as long as given (ms)."""
    t = trace()
    root = t.span("run", 0, sum(took) + 10, kind=SpanKind.SERVER)
    at = 5.0
    for each in took:
        t.span("render", at, at + each, root, service="pdf")
        at += each
    return t.build()


def test_few_slow_calls_of_many_are_told_as_such(trace) -> None:
    """Where the typical call takes as long as before, no call takes what the mean says; in both directions."""
    a, b = rendered(trace, *[10] * 8), rendered(trace, *[10] * 4, 4_000, *[10] * 3)
    there, back = compare(a, b).causes[0], compare(b, a).causes[0]
    assert there.summary == "render in pdf takes 4.00 s in 1 of 8 calls of B, in the others 10.0 ms as in A"
    assert back.summary == "render in pdf takes 4.00 s in 1 of 8 calls of A, in the others 10.0 ms as in B"
    assert (there.finding, there.delta_ns) == (back.finding, -back.delta_ns) == ("operation-slower", 3_990_000_000)


@pytest.mark.parametrize(
    ("took", "mean"),
    [
        ([100] * 8, "100 ms"),  # every call is slow
        ([15.4] * 8, "15.4 ms"),  # every call is a little slower, none beyond its own jitter
        ([10, 400, 10], "140 ms"),  # too few calls to call any of them usual
    ],
)
def test_slow_calls_that_are_no_exception_are_told_by_their_mean(trace, took, mean) -> None:
    """The mean speaks for the calls where most are slow, or where they are too few to tell."""
    first = compare(rendered(trace, *[10] * len(took)), rendered(trace, *took)).causes[0]
    assert first.summary == f"render in pdf takes {mean} instead of 10.0 ms"


def test_where_time_lies_between_calls_is_not_said_of_calls_that_nobody_sees(trace) -> None:
    """The callee sent no spans in B: the time is the call's, and not between calls that it does not show."""
    sides = []
    for took, seen in ((20, True), (300, False)):
        t = trace()
        root = t.span("POST /checkout", 0, took + 10, kind=SpanKind.SERVER, service="checkout")
        call = t.span("POST", 5, 5 + took, root, kind=SpanKind.CLIENT, service="checkout")
        if seen:
            t.span("POST /quote", 6, 4 + took, call, kind=SpanKind.SERVER, service="shipping")
        sides.append(t.build())
    for result in (compare(*sides), compare(*reversed(sides))):
        (cause,) = result.causes
        assert "sent no spans in" in " ".join(cause.evidence)
        assert "most of it lies" not in " ".join(cause.evidence)
