"""The phases of a connection are told where the client says how long they took."""

from __future__ import annotations

from analysis import compare
from analysis.model import Event, SpanKind

MS = 1_000_000


def connected(trace, connect: float, *, as_events: bool):
    """Return a call that took `connect` ms to connect, told as events or as an attribute."""
    t = trace()
    root = t.span("GET /", 0, connect + 40, kind=SpanKind.SERVER, service="front")
    events = (Event("http.connect.start", 1 * MS, {}), Event("http.connect.done", round((1 + connect) * MS), {}))
    call = t.span("GET", 5, connect + 35, root, kind=SpanKind.CLIENT, service="front",
                  events=events if as_events else (),
                  attributes={} if as_events else {"http.connect_time_ms": connect})  # fmt: skip
    t.span("GET /s", 6 + connect, connect + 34, call, kind=SpanKind.SERVER, service="stock")
    return t.build()


def test_a_slow_connection_set_up_is_evidence(trace) -> None:
    """Events in pairs and attributes with a unit both tell how long connecting took."""
    for as_events in (True, False):
        a, b = (connected(trace, ms, as_events=as_events) for ms in (2, 500))
        evidence = compare(a, b).causes[0].evidence
        assert any(line.startswith("connect: 2.00 ms in A, 500 ms in B") for line in evidence), evidence


def test_phases_that_did_not_change_are_not_told(trace) -> None:
    """A connection as quick as before explains nothing."""
    a = connected(trace, 2, as_events=True)
    t = trace()
    root = t.span("GET /", 0, 442, kind=SpanKind.SERVER, service="front")
    events = (Event("http.connect.start", 1 * MS, {}), Event("http.connect.done", 3 * MS, {}))
    call = t.span("GET", 5, 437, root, kind=SpanKind.CLIENT, service="front", events=events)
    t.span("GET /s", 400, 430, call, kind=SpanKind.SERVER, service="stock")
    evidence = compare(a, t.build()).causes[0].evidence
    assert not any(line.startswith("connect:") for line in evidence)


def test_an_end_without_a_beginning_and_other_events_are_no_phase(trace) -> None:
    """Half a pair measures nothing, what is no number neither; the phase beside them is told all the same."""
    sides = []
    for connect in (2, 500):
        t = trace()
        root = t.span("GET /", 0, connect + 40, kind=SpanKind.SERVER, service="front")
        events = (
            Event("retry", 0, {}), Event("http.dns.done", 7 * MS, {}),
            Event("http.connect.start", 10 * MS, {}), Event("http.connect.done", (10 + connect) * MS, {}),
        )  # fmt: skip
        call = t.span("GET", 5, connect + 35, root, kind=SpanKind.CLIENT, service="front", events=events,
                      attributes={"tls_time_ms": "unknown"})  # fmt: skip
        t.span("GET /s", 6 + connect, connect + 34, call, kind=SpanKind.SERVER, service="stock")
        sides.append(t.build())
    evidence = compare(*sides).causes[0].evidence
    assert any(line.startswith("connect: 2.00 ms in A, 500 ms in B") for line in evidence), evidence
    assert not any(line.startswith(("dns:", "tls:")) for line in evidence)
