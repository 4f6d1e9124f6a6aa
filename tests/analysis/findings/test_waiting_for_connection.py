"""waiting-for-connection: waiting, without a span, for what another call holds."""

from __future__ import annotations

import pytest

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


def acquiring(trace, name: str, *waits: float, kind: SpanKind = SpanKind.INTERNAL, says: dict | None = None):
    """Return callers that each query a store, with a span of some name before the query."""
    t = trace()
    root = t.span("GET /", 0, sum(waits) + 20 * len(waits) + 5, kind=SpanKind.SERVER)
    now = 2
    for i, wait in enumerate(waits):
        caller = t.span(("read", "check", "write")[i], now, now + wait + 18, root)
        t.span(name, now + 1, now + 1 + wait, caller, kind=kind, attributes=says)
        t.span("SELECT", now + 2 + wait, now + 16 + wait, caller, kind=SpanKind.CLIENT, attributes=DB)
        now += wait + 20
    return t.build()


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("HikariDataSource.getConnection", SpanKind.INTERNAL, {}),
        ("get_connection", SpanKind.INTERNAL, {}),
        ("pool.acquire", SpanKind.CLIENT, {"server.address": "store"}),
        ("acquire", SpanKind.CLIENT, {"db.system": "postgresql"}),
    ],
)
def test_a_span_that_only_waits_for_a_connection_is_known_by_its_name(trace, name, kind, says) -> None:
    """The library has a span for it: nobody is sent to profile it or to look for a query plan."""
    result = compare(*(acquiring(trace, name, wait, kind=kind, says=says) for wait in (0.5, 300)))
    first = result.causes[0]
    assert (first.finding, first.kind, first.operation) == ("waiting-for-connection", CauseKind.WAIT_GAP, name)
    assert "pool" in result.next_steps[0].text
    assert "query plan" not in result.next_steps[0].text


def test_one_pool_that_many_wait_for_is_one_cause(trace) -> None:
    """Three callers wait for a connection each: one cause of all the time, with its places, the longest first."""
    result = compare(*(acquiring(trace, "pool.acquire", *waits) for waits in ((0.5, 0.5, 0.5), (200, 300, 100))))
    (cause,) = result.causes
    assert (cause.finding, cause.share) == ("waiting-for-connection", 1.0)
    assert cause.evidence[1:] == tuple(
        f"under {name}: {ms} ms more" for name, ms in (("check", "300"), ("read", "200"), ("write", "99.5"))
    )
    assert len(cause.suspect_span_ids) == 3


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("Acquirer.charge", SpanKind.INTERNAL, {}),
        ("POST /acquire", SpanKind.CLIENT, {"http.method": "POST", "http.url": "http://locks/acquire"}),
        ("POST /acquire", SpanKind.SERVER, {}),
    ],
)
def test_what_is_only_called_like_that_waits_for_nothing_known(trace, only, name, kind, says) -> None:
    """A bank that acquires, a service that grants locks: their time is their own work."""
    result = compare(*(acquiring(trace, name, wait, kind=kind, says=says) for wait in (0.5, 300)))
    assert only(result, "waiting-for-connection") is None
    assert result.causes[0].finding == "operation-slower"
