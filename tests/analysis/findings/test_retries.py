"""retries: calls tried again after they failed."""

from __future__ import annotations

from analysis import compare
from analysis.comparison import CauseKind, VerdictKind
from analysis.model import SpanKind


def retried(trace, tries: int, *, ok: bool = True):
    """Return a trace with a call tried several times, 100 ms between the tries."""
    t = trace()
    root = t.span("POST /pay", 0, 120 * tries + 5, kind=SpanKind.SERVER, error=not ok)
    for i in range(tries):
        last = i == tries - 1
        t.span("POST", 2 + 120 * i, 22 + 120 * i, root, kind=SpanKind.CLIENT, error=not (last and ok),
               attributes={"http.method": "POST", "http.url": "http://bank/x", "http.status_code": 503})  # fmt: skip
    return t.build()


def test_retries_that_succeed_in_the_end_are_slow_not_failing(trace) -> None:
    """Failed tries and the waits between them are one cause; the request itself did not fail."""
    result = compare(retried(trace, 1), retried(trace, 4))
    assert result.verdict.kind is VerdictKind.SLOWER
    assert (result.causes[0].finding, result.causes[0].kind) == ("retries", CauseKind.RETRY)
    assert "503" in result.causes[0].summary


def test_retries_that_fail_to_the_end_are_failing(trace) -> None:
    """When the last try fails as well, the request is failing."""
    result = compare(retried(trace, 1), retried(trace, 4, ok=False))
    assert result.verdict.kind is VerdictKind.FAILING


def test_a_failure_that_is_tried_again_at_last_is_no_trouble_of_the_suspect(trace) -> None:
    """The call failed once before as well, and nobody tried again: what is new is the try that succeeds."""
    result = compare(retried(trace, 1, ok=False), retried(trace, 2))
    assert "retries" not in {finding.finding for finding in result.findings}
    assert result.verdict.kind is not VerdictKind.FAILING


def test_several_calls_tried_again_are_told_as_several(trace) -> None:
    """Three items fetched one after another, each once more after a failure: three calls, two tries each."""
    sides = []
    for failures in (0, 1):
        t = trace()
        root = t.span("GET /list", 0, 3 * (60 * failures + 12) + 5, kind=SpanKind.SERVER)
        at = 2.0
        for item in range(3):
            asks = {"http.method": "GET", "http.url": f"http://stock/items/{item}"}
            for _ in range(failures):
                t.span("GET", at, at + 50, root, kind=SpanKind.CLIENT, error=True, attributes=asks)
                at += 60
            t.span("GET", at, at + 10, root, kind=SpanKind.CLIENT, attributes=asks)
            at += 12
        sides.append(t.build())
    first = compare(*sides).causes[0]
    assert first.finding == "retries"
    assert first.summary.startswith("3 calls of GET in shop are tried up to 2 times instead of 1")
    assert first.evidence[0] == "6 tries: 150 ms in failed tries, 30.0 ms waiting between them"


def test_a_request_that_became_quicker_is_explained_by_what_did_although_it_had_to_retry(trace) -> None:
    """A try that failed and did not matter in the end is not why a request takes half a second less than before."""
    sides = []
    for failures, query_ms in ((0, 600), (1, 40)):
        t = trace()
        root = t.span("POST /pay", 0, 45 * failures + 30 + query_ms, kind=SpanKind.SERVER)
        at = 2.0
        for last in (*([False] * failures), True):
            t.span("POST", at, at + 20, root, kind=SpanKind.CLIENT, error=not last,
                   attributes={"http.method": "POST", "http.url": "http://bank/x"})  # fmt: skip
            at += 22
        t.span("SELECT orders", at, at + query_ms, root, kind=SpanKind.CLIENT,
               attributes={"db.system": "postgresql", "db.statement": "SELECT * FROM orders"})  # fmt: skip
        sides.append(t.build())
    there, back = compare(*sides), compare(*reversed(sides))
    assert (there.verdict.kind, back.verdict.kind) == (VerdictKind.FASTER, VerdictKind.SLOWER)
    assert "SELECT" in there.causes[0].operation
    assert there.causes[0].operation == back.causes[0].operation
