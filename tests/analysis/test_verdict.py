"""The verdict on two traces where no word of it is obvious."""

from __future__ import annotations

from analysis import compare
from analysis.comparison import Confidence, VerdictKind
from analysis.model import SpanKind


def steps(trace, times: list[float]):
    """Return a request that takes some steps (ms), one after the other."""
    t = trace()
    root = t.span("GET /page", 0, sum(times), kind=SpanKind.SERVER)
    at = 0.0
    for number, took in enumerate(times):
        t.span(f"step {chr(ord('a') + number)}", at, at + took, root)
        at += took
    return t.build()


def test_a_modest_difference_that_nothing_makes_up_is_none(trace) -> None:
    """A quarter longer is a headline when one step makes most of it, and chance when three steps share it."""
    before = steps(trace, [300.0, 10.0, 10.0, 10.0])
    shared = compare(before, steps(trace, [300.0, 40.0, 40.0, 40.0]))
    assert shared.verdict.kind is VerdictKind.NO_MEANINGFUL_DIFFERENCE
    assert shared.verdict.headline == "no meaningful difference: shop GET /page takes 330 ms -> 420 ms"
    alone = compare(before, steps(trace, [300.0, 100.0, 10.0, 10.0]))
    assert alone.verdict.kind is VerdictKind.SLOWER
    assert alone.verdict.headline.startswith("shop GET /page is 90.0 ms slower (330 ms -> 420 ms, 1.3x): step b")


def test_of_calls_that_take_equally_long_the_earliest_names_the_operation(trace) -> None:
    """In whichever order the callers of one group are walked: what is shown first happened first."""
    sides = []
    for took in (10, 200):
        t = trace()
        root = t.span("GET /page", 0, 600, kind=SpanKind.SERVER)
        first, second = (t.span("worker", at, 600, root) for at in (0, 1))
        t.span("load 2", 300, 300 + took, first)
        t.span("load 1", 20, 20 + took, second)
        sides.append(t.build())
    (loads,) = [c for c in compare(*sides).contributions if c.operation.startswith("load")]
    assert (loads.operation, loads.baseline_calls, loads.suspect_calls) == ("load 1", 2, 2)


def served(trace, *, query: float, picture: bool = True, fails: bool = False, status: int = 200):
    """Return a request with a query (ms) and a call for a picture, which may be missing."""
    t = trace()
    root = t.span("GET /x", 0, query + 10, kind=SpanKind.SERVER, error=fails, attributes={"http.status_code": status})
    t.span("GET", 1, 5, root, kind=SpanKind.CLIENT, error=not picture,
           attributes={"http.url": "http://cdn/a.png", "http.status_code": 200 if picture else 404})  # fmt: skip
    t.span("SELECT", 6, 6 + query, root, kind=SpanKind.CLIENT, attributes={"db.system": "mysql"})
    return t.build()


def test_an_error_inside_is_no_headline_beside_a_large_difference_with_another_cause(trace) -> None:
    """A picture is missing and the query takes 2 s: the request is slower by the query, and the picture is told."""
    result = compare(served(trace, query=5), served(trace, query=2_000, picture=False))
    assert result.verdict.kind is VerdictKind.SLOWER
    assert [cause.finding for cause in result.causes] == ["operation-slower", "error-appeared"]
    turned = compare(served(trace, query=2_000, picture=False), served(trace, query=5))
    assert turned.verdict.kind is VerdictKind.FASTER
    assert turned.causes[0].finding == "operation-slower"


def test_a_new_error_comes_before_a_small_difference(trace) -> None:
    """Two healthy requests may differ as much in time, not in outcome; the request itself succeeds, and that is said."""
    result = compare(served(trace, query=50), served(trace, query=95, picture=False))
    assert result.verdict.kind is VerdictKind.FAILING
    assert result.causes[0].finding == "error-appeared"
    expected = "shop GET /x succeeds, but a part of it fails where it did not before (60.0 ms -> 105 ms): GET in shop"
    assert result.verdict.headline.startswith(expected)


def test_a_request_that_fails_itself_is_failing_however_slow_it_is(trace) -> None:
    """Marked as an error, or answered with a code that says so."""
    for how in ({"fails": True}, {"status": 502}):
        result = compare(served(trace, query=5), served(trace, query=2_000, picture=False, **how))
        assert result.verdict.kind is VerdictKind.FAILING
        assert result.verdict.headline.startswith("shop GET /x fails where it did not before (15.0 ms -> 2.01 s): ")


def test_that_both_requests_fail_is_said(trace) -> None:
    """Nobody shall take the baseline for a healthy one, whether B fails in another way or not."""
    same = compare(served(trace, query=5, fails=True), served(trace, query=5.2, fails=True))
    assert same.verdict.headline.endswith("takes 15.0 ms -> 15.2 ms, and fails in both")
    other = compare(served(trace, query=5, fails=True), served(trace, query=5, fails=True, picture=False))
    assert other.verdict.headline.startswith("shop GET /x fails in both, in B in another way (15.0 ms -> 15.0 ms): ")


def test_a_slow_call_whose_other_end_shows_on_one_side_only_is_not_sure(trace) -> None:
    """Whether the callee or the way to it takes the time cannot be known: the confidence says so."""
    sides = []
    for took, lit in ((10, True), (300, False)):
        t = trace()
        root = t.span("GET /x", 0, took + 4, kind=SpanKind.SERVER)
        call = t.span("GET", 1, took + 2, root, kind=SpanKind.CLIENT, attributes={"http.url": "http://quotes/q"})
        if lit:
            t.span("GET /q", 2, took + 1, call, kind=SpanKind.SERVER, service="quotes")
        sides.append(t.build())
    verdict = compare(*sides).verdict
    assert verdict.kind is VerdictKind.SLOWER
    assert verdict.confidence is Confidence.MEDIUM
    assert "quotes sent no spans of the call on one side: how long it took itself is unknown there" in verdict.reasons
