"""timed-out: calls whose time ran out."""

from __future__ import annotations

import pytest

from analysis import compare
from analysis.comparison import CauseKind, VerdictKind
from analysis.model import Event, SpanKind


def called(trace, took: float, *, error: bool = False, message: str = "", server: float = 0):
    """Return a trace with one call that takes `took` ms while its server works for `server` ms."""
    t = trace()
    root = t.span("POST /pay", 0, took + 20, kind=SpanKind.SERVER, error=error)
    events = (Event("exception", 0, {"exception.type": message}),) if message else ()
    call = t.span("POST", 10, 10 + took, root, kind=SpanKind.CLIENT, error=error, events=events)
    t.span("POST /charge", 11, 10 + (server or took - 2), call, kind=SpanKind.SERVER, service="bank")
    return t.build()


def test_a_failed_call_that_ends_at_a_round_duration_is_a_timeout(trace) -> None:
    """Ended just after 3 s with an error: the limit is said, and that the callee went on."""
    result = compare(called(trace, 30), called(trace, 3004, error=True, server=4200))
    first = result.causes[0]
    assert result.verdict.kind is VerdictKind.FAILING
    assert (first.finding, first.kind, first.peer_service) == ("timed-out", CauseKind.ERROR, "bank")
    assert any("a timeout of 3.00 s" in line for line in first.evidence)
    assert any("bank worked on for" in line for line in first.evidence)


def test_a_failure_that_says_so_is_a_timeout_whatever_its_length(trace) -> None:
    """An exception named after a timeout needs no round duration."""
    result = compare(called(trace, 30), called(trace, 777, error=True, message="ReadTimeout"))
    assert result.causes[0].finding == "timed-out"
    assert "ReadTimeout" in result.causes[0].summary


@pytest.mark.parametrize(
    "attributes", [{"http.response.status_code": 504}, {"rpc.system": "grpc", "rpc.grpc.status_code": 4}]
)
def test_a_status_that_means_a_timeout_is_one(trace, attributes) -> None:
    """Gateway Timeout and DEADLINE_EXCEEDED say it by code, whatever the length."""
    sides = []
    for took in (30, 777):
        t = trace()
        root = t.span("GET /", 0, took + 20, kind=SpanKind.SERVER, error=took == 777)
        t.span("call", 5, took + 5, root, kind=SpanKind.CLIENT, error=took == 777,
               attributes=attributes if took == 777 else {})  # fmt: skip
        sides.append(t.build())
    assert compare(*sides).causes[0].finding == "timed-out"


def test_calls_that_all_end_after_the_same_time_are_a_plateau(trace) -> None:
    """Several calls cut off at one duration are counted."""
    sides = []
    for took in (20, 1503):
        t = trace()
        root = t.span("GET /all", 0, 3 * took + 20, kind=SpanKind.SERVER)
        for i in range(3):
            t.span("GET", 5 + i * took, 5 + (i + 1) * took, root, kind=SpanKind.CLIENT, error=took > 1000)
        sides.append(t.build())
    evidence = compare(*sides).causes[0].evidence
    assert "3 calls end after the same time" in evidence


def test_a_quick_failure_is_no_timeout(trace, only) -> None:
    """A failure after an odd duration is an error like others."""
    result = compare(called(trace, 30), called(trace, 777, error=True, message="KeyError"))
    assert only(result, "timed-out") is None
    assert result.causes[0].finding == "error-appeared"


@pytest.mark.parametrize("kind", [SpanKind.CLIENT, SpanKind.SERVER])
@pytest.mark.parametrize(
    ("attributes", "exception", "timed_out"),
    [
        ({}, "", True),
        ({"rpc.grpc.status_code": 1}, "", True),
        ({"http.status_code": 499}, "", True),
        ({}, "CanceledError", True),
        ({}, "NullPointerException", False),
        ({"http.status_code": 503}, "", False),
        ({"error.type": "ECONNREFUSED"}, "", False),
    ],
)
def test_a_round_duration_is_no_reason_beside_one_that_is_given(trace, kind, attributes, exception, timed_out) -> None:
    """After 505 ms a failure looks like a timeout, unless it says why it failed; that somebody gave up is no reason."""
    sides = []
    for took in (40, 505):
        t = trace()
        failing = took == 505
        root = t.span("GET /", 0, took + 20, kind=SpanKind.SERVER)
        events = (Event("exception", 0, {"exception.type": exception}),) if failing and exception else ()
        t.span(
            "call", 5, took + 5, root, kind=kind, error=failing, attributes=attributes if failing else {}, events=events
        )
        sides.append(t.build())
    assert compare(*sides).causes[0].finding == ("timed-out" if timed_out else "error-appeared")


def test_a_slow_success_is_no_timeout(trace, only) -> None:
    """A call that succeeds after exactly three seconds did not time out."""
    assert only(compare(called(trace, 30), called(trace, 3004)), "timed-out") is None


def test_a_request_that_gives_up_says_what_it_was_waiting_for(trace) -> None:
    """The request ends with an error after three seconds; a call of its own that it never cancelled goes on."""
    sides = []
    for took, answered in ((40, 60), (9_000, 3_001)):
        t = trace()
        root = t.span("GET /", 0, answered, kind=SpanKind.SERVER, error=answered > 3_000)
        told = {"server.address": "recommend"}
        t.span("GET", 10, 10 + took, root, kind=SpanKind.CLIENT, attributes=told)
        sides.append(t.build())
    first = compare(*sides).causes[0]
    assert (first.finding, first.operation, first.peer_service) == ("timed-out", "GET /", "recommend")
    assert "it was waiting for GET to recommend, which went on for 6.01 s" in first.evidence
