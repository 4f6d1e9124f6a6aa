"""version-changed and exception-recorded: what changed without taking time."""

from __future__ import annotations

from requests_drawn import found

from analysis import compare
from analysis.comparison import VerdictKind
from analysis.model import Event, SpanKind


def test_a_changed_version_and_a_recorded_exception_are_told_without_any_change_of_time(trace) -> None:
    """A deployment and an exception on a span that reports success are changes, found without a millisecond."""
    sides = []
    for version in ("1.4.2", "1.5.0"):
        t = trace()
        events = (Event("exception", 0, {"exception.type": "CacheMiss"}),) if version == "1.5.0" else ()
        root = t.span("GET /", 0, 50, kind=SpanKind.SERVER, resource={"service.version": version})
        t.span("load", 5, 45, root, service="shop", resource={"service.version": version}, events=events)
        sides.append(t.build())
    result = compare(*sides)
    assert result.verdict.kind is VerdictKind.CHANGED
    assert {"version-changed", "exception-recorded"} <= found(result)
    assert any("1.5.0 instead of 1.4.2" in c.summary for c in result.causes)
    assert any("CacheMiss" in c.summary for c in result.causes)


def test_the_same_version_is_not_told(trace) -> None:
    """What did not change is not mentioned."""
    sides = []
    for slow in (0, 80):
        t = trace()
        t.span("GET /", 0, 50 + slow, kind=SpanKind.SERVER, resource={"service.version": "1"})
        sides.append(t.build())
    assert "version-changed" not in found(compare(*sides))
