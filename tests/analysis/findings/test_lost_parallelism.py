"""lost-parallelism: calls that run one after another."""

from __future__ import annotations

from requests_drawn import found

from analysis import compare
from analysis.comparison import CauseKind, VerdictKind
from analysis.model import SpanKind


def test_lost_parallelism_is_charged_to_the_caller(trace) -> None:
    """Calls as quick as before that now run one after another are their caller's doing."""
    sides = []
    for step in (0, 30):
        t = trace()
        root = t.span("GET /home", 0, 40 + 5 * step, kind=SpanKind.SERVER)
        for i in range(6):
            t.span(f"load {'abcdef'[i]}", 2 + i * step, 32 + i * step, root)
        sides.append(t.build())
    result = compare(*sides)
    assert [c.kind for c in result.causes] == [CauseKind.SERIALISED]
    assert result.causes[0].operation == "GET /home"
    assert "operation-slower" not in found(result)


def test_one_slow_call_among_parallel_ones_is_not_lost_parallelism(trace) -> None:
    """When one of several parallel calls becomes slow, it is named, not their order."""
    sides = []
    for slow in (30, 200):
        t = trace()
        root = t.span("GET /home", 0, slow + 10, kind=SpanKind.SERVER)
        for i in range(6):
            t.span(f"load {'abcdef'[i]}", 2, 2 + (slow if i == 3 else 30), root)
        sides.append(t.build())
    result = compare(*sides)
    assert [c.operation for c in result.causes] == ["load d"]
    assert "lost-parallelism" not in found(result)


def pooled(trace, lanes: int, *took: float, first: float = 0):
    """Return a trace of calls (ms) that are shared out to some lanes, after another call that is made alone."""
    t = trace()
    free = [first] * lanes
    spans = []
    for each in took:
        at = min(free)
        free[free.index(at)] = at + each
        spans.append((at, at + each))
    root = t.span("GET /dispatch", 0, max(free) + 1, kind=SpanKind.SERVER)
    if first:
        t.span("find drivers", 0, first, root, service="drivers")
    for start, end in spans:
        t.span("route", start, end, root, service="route")
    return t.build()


def test_calls_that_lost_their_lanes_are_counted(trace) -> None:
    """What ran alone before lost nothing: only the calls that ran beside others are said to be in turn now."""
    a, b = pooled(trace, 3, *[30] * 10, first=40), pooled(trace, 1, *[30] * 10, first=40)
    slower, faster = compare(a, b).causes[0], compare(b, a).causes[0]
    assert slower.summary == "GET /dispatch in shop runs 9 of its 11 calls one after another instead of in parallel"
    assert faster.summary == "GET /dispatch in shop runs 9 of its 11 calls in parallel instead of one after another"
    assert slower.delta_ns == -faster.delta_ns == 180_000_000


def test_fewer_lanes_are_lost_parallelism_as_well(trace) -> None:
    """Calls that still run beside others, but beside fewer, are said to run so many at a time."""
    first = compare(pooled(trace, 8, *[30] * 40), pooled(trace, 2, *[30] * 40)).causes[0]
    assert first.summary == "GET /dispatch in shop runs its 40 calls 2.0 at a time instead of 8.0"


def test_a_call_that_outlasts_all_others_takes_no_parallelism(trace, only) -> None:
    """All lanes still run beside each other until one is left with its slow call; the calls behind it wait."""
    a = pooled(trace, 4, *[10] * 100)
    b = pooled(trace, 4, *[10] * 40, 1_000, *[10] * 59)
    assert only(compare(a, b), "lost-parallelism") is None


def test_a_little_lost_parallelism_settles_nothing(trace, only) -> None:
    """Two short calls in turn are no change of the request where other work, in several places, differs far more."""
    sides = []
    for took, step in ((100, 0), (240, 20)):
        t = trace()
        root = t.span("GET /home", 0, 830 + 2 * took + step, kind=SpanKind.SERVER)
        t.span("price", 400, 400 + took, root)
        t.span("stock", 500 + took, 500 + 2 * took, root)
        load = t.span("load", 600 + 2 * took, 622 + 2 * took + step, root)
        t.span("load a", 601 + 2 * took, 621 + 2 * took, load)
        t.span("load b", 601 + 2 * took + step, 621 + 2 * took + step, load)
        sides.append(t.build())
    result = compare(*sides)
    assert only(result, "lost-parallelism").delta_ns == 20_000_000
    assert result.verdict.kind is VerdictKind.NO_MEANINGFUL_DIFFERENCE
