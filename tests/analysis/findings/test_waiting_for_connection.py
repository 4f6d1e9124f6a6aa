"""waiting-for-connection: waiting, without a span, for what another call holds."""

from __future__ import annotations

from analysis import compare
from analysis.comparison import CauseKind
from analysis.model import SpanKind

DB = {"db.system": "postgresql", "db.statement": "SELECT 1 FROM t", "net.peer.name": "store"}


def drawn(trace, wait: float, *, other_ends: float | None = None, stated: float | None = None):
    """Return two branches that query one store; the second waits `wait` ms before its query."""
    t = trace()
    root = t.span("GET /", 0, wait + 60, kind=SpanKind.SERVER)
    x = t.span("x", 2, 40 if other_ends is None else other_ends + 2, root)
    t.span("SELECT", 4, 20 if other_ends is None else other_ends, x, kind=SpanKind.CLIENT, attributes=DB)
    y = t.span("y", 2, wait + 50, root, attributes={} if stated is None else {"pool.wait_time_ms": stated})
    t.span("SELECT", 4 + wait, wait + 40, y, kind=SpanKind.CLIENT,
           attributes=DB | {"db.statement": "SELECT 2 FROM u"})  # fmt: skip
    return t.build()


def test_a_call_that_starts_when_another_ends_waited_for_its_connection(trace) -> None:
    """The gap before a query that ends with another query's end is waiting for what that one held."""
    first = compare(drawn(trace, 3), drawn(trace, 300, other_ends=303.8)).causes[0]
    assert (first.finding, first.kind, first.operation) == ("waiting-for-connection", CauseKind.WAIT_GAP, "y")
    assert "another call to store" in first.summary


def test_a_wait_that_the_library_states_is_believed(trace) -> None:
    """An attribute with a unit that grew by as much as the operation did explains it."""
    first = compare(drawn(trace, 3, stated=1), drawn(trace, 300, stated=290)).causes[0]
    assert first.finding == "waiting-for-connection"
    assert "pool.wait_time_ms is 290 ms instead of 1" in first.summary


def test_a_gap_that_nobody_ends_is_the_operation_itself(trace, only) -> None:
    """Time before a query that starts by itself may be anything."""
    result = compare(drawn(trace, 3), drawn(trace, 300))
    assert only(result, "waiting-for-connection") is None
    assert result.causes[0].finding == "operation-slower"
