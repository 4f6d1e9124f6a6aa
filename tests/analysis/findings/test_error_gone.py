"""error-gone: the baseline failed, the suspect does not."""

from __future__ import annotations

from analysis import compare
from analysis.comparison import VerdictKind
from analysis.model import SpanKind


def charged(trace, took: float, *, error: bool):
    """Return a request whose call fails or not."""
    t = trace()
    root = t.span("POST /pay", 0, took + 10, kind=SpanKind.SERVER, error=error)
    t.span("POST", 5, 5 + took, root, kind=SpanKind.CLIENT, error=error, attributes={"http.status_code": 503})
    return t.build()


def test_a_baseline_that_failed_is_said(trace, only) -> None:
    """B is slower because it goes on where A gave up: the reader must know."""
    result = compare(charged(trace, 10, error=True), charged(trace, 300, error=False))
    finding = only(result, "error-gone")
    assert "no longer fails: in A status 503" in finding.summary
    assert result.verdict.kind is VerdictKind.SLOWER


def test_a_suspect_that_is_quicker_because_nothing_fails_any_more_is_faster(trace) -> None:
    """The end of a failure that took time is the improvement's cause."""
    result = compare(charged(trace, 900, error=True), charged(trace, 20, error=False))
    assert result.verdict.kind is VerdictKind.FASTER
    assert result.causes[0].finding == "error-gone"


def test_two_successes_and_two_failures_are_no_change(trace, only) -> None:
    """Without a failure that ended there is nothing to tell."""
    for error in (True, False):
        result = compare(charged(trace, 10, error=error), charged(trace, 10.2, error=error))
        assert only(result, "error-gone") is None


def test_a_root_that_no_longer_fails_is_told_without_a_caller(trace, only) -> None:
    """Nothing calls the root: the time that its failure took is its own."""
    sides = []
    for took, error in ((900, True), (20, False)):
        t = trace()
        t.span("GET /", 0, took, kind=SpanKind.SERVER, error=error)
        sides.append(t.build())
    result = compare(*sides)
    assert result.verdict.kind is VerdictKind.FASTER
    assert "no longer fails: in A error" in only(result, "error-gone").summary
