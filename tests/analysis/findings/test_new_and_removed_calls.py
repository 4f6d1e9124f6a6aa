"""new-calls and removed-calls: dependencies that came or went."""

from __future__ import annotations

import pytest
from requests_drawn import DB, found

from analysis import compare
from analysis.comparison import CauseKind, VerdictKind
from analysis.model import SpanKind


def test_new_calls_and_the_version_that_brought_them(trace) -> None:
    """A new dependency is named by its caller; a changed version of the caller is named as its cause."""
    sides = []
    for version, new in (("1.8.2", False), ("1.9.0", True)):
        t = trace()
        resource = {"service.version": version}
        root = t.span("POST /orders", 0, 120 if new else 60, kind=SpanKind.SERVER, service="orders", resource=resource)
        t.span("pay", 5, 40, root, kind=SpanKind.CLIENT, service="orders", resource=resource)
        if new:
            call = t.span("POST", 45, 105, root, kind=SpanKind.CLIENT, service="orders", resource=resource)
            t.span("POST /score", 47, 103, call, kind=SpanKind.SERVER, service="fraud")
        sides.append(t.build())
    first = compare(*sides).causes[0]
    assert (first.kind, first.service, first.peer_service) == (CauseKind.VERSION_CHANGE, "orders", "fraud")
    assert any("1.8.2" in line and "1.9.0" in line for line in first.evidence)


def test_removed_calls(trace) -> None:
    """A call that is gone is told as a change, not as a regression."""
    sides = []
    for present in (True, False):
        t = trace()
        root = t.span("GET /", 0, 50, kind=SpanKind.SERVER)
        if present:
            t.span(
                "GET", 10, 14, root, kind=SpanKind.CLIENT, attributes={"http.method": "GET", "http.url": "http://ads/x"}
            )
        sides.append(t.build())
    result = compare(*sides)
    assert result.verdict.kind is VerdictKind.CHANGED
    assert result.causes[0].kind is CauseKind.REMOVED_CALLS


def test_an_inserted_layer_is_no_new_call(trace) -> None:
    """A sidecar between caller and callee is seen through: the work below still matches."""
    sides = []
    for sidecar in (False, True):
        t = trace()
        root = t.span("GET /", 0, 60, kind=SpanKind.SERVER, service="front")
        call = t.span(
            "GET",
            5,
            55,
            root,
            kind=SpanKind.CLIENT,
            service="front",
            attributes={"http.method": "GET", "http.url": "http://stock/s"},
        )
        if sidecar:
            call = t.span("egress", 6, 54, call, service="envoy")
        t.span("GET /s", 8, 52, call, kind=SpanKind.SERVER, service="stock")
        sides.append(t.build())
    result = compare(*sides)
    assert "new-calls" not in found(result)
    assert "removed-calls" not in found(result)
    assert any(c.service == "stock" and c.baseline_calls == c.suspect_calls == 1 for c in result.contributions)


def test_a_renamed_operation_is_matched(trace) -> None:
    """The same place with the same work below is the same operation under a new name."""
    sides = []
    for name in ("CheckoutHandler", "checkout.handle"):
        t = trace()
        root = t.span("POST /", 0, 60, kind=SpanKind.SERVER)
        handler = t.span(name, 5, 55, root)
        t.span("SELECT", 10, 20, handler, kind=SpanKind.CLIENT, attributes=DB)
        t.span("publish", 25, 30, handler, kind=SpanKind.PRODUCER)
        sides.append(t.build())
    result = compare(*sides)
    assert any(note.code == "renamed-operations" for note in result.notes)
    assert result.verdict.kind is VerdictKind.NO_MEANINGFUL_DIFFERENCE


def test_a_call_missing_from_a_trace_with_holes_is_no_certain_change(trace) -> None:
    """Where spans were lost, a call that does not show may have been made: no change is claimed."""
    sides = []
    for whole in (True, False):
        t = trace()
        root = t.span("GET /", 0, 50, kind=SpanKind.SERVER)
        load = t.span("load", 5, 45, root)
        t.span("GET", 10, 14, load, kind=SpanKind.CLIENT, attributes={"http.method": "GET", "http.url": "http://ads/x"})
        t.span("SELECT", 20, 40, load, kind=SpanKind.CLIENT, attributes=DB)
        if not whole:
            del t.spans[1:3]
        sides.append(t.build())
    assert compare(*sides).verdict.kind is VerdictKind.NO_MEANINGFUL_DIFFERENCE


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("lost", [False, True])
def test_a_call_whose_caller_was_lost_is_neither_gone_nor_new(trace, *, lost: bool, swapped: bool) -> None:
    """A service sent no spans, so its consumer hangs under the root there: it works on both sides, and is one of both.

    Where nothing was lost, work that stands elsewhere is another way of working.
    """
    sides = []
    for whole in (False, True):
        t = trace()
        root = t.span("POST /orders", 0, 60, kind=SpanKind.SERVER, service="gateway")
        above = root
        if whole or lost:
            for depth in range(5):
                above = t.span(f"step {chr(97 + depth)}", 2 + depth, 58 - depth, above, service="orders")
        t.span("mail", 20, 30, above, kind=SpanKind.CONSUMER, service="mail")
        if lost and not whole:
            del t.spans[1:6]
        sides.append(t.build())
    result = compare(*(reversed(sides) if swapped else sides))
    assert any("calls mail" in finding.summary for finding in result.findings) is not lost
