"""Small pairs whose truth is known to the nanosecond, with siblings that touch and with gaps between them.

Each is a change that tools for comparing traces commonly misread: a slow leaf counted once per caller, an N+1 told as
57 new spans, calls in a row with no span slower, a failed try taken for the call that succeeded.
"""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from analysis import compare
from analysis.comparison import CauseKind, VerdictKind
from analysis.model import Event, SpanKind

CLIENT, SERVER = SpanKind.CLIENT, SpanKind.SERVER
gaps = pytest.mark.parametrize("gap", [0, 0.2])


def exact(result, delta_ms: float) -> None:
    """Check that the contributions make up the whole difference, and nothing twice."""
    assert result.response_time.delta_ns == round(delta_ms * 1e6)
    assert sum(c.delta_ns for c in result.contributions) == result.response_time.delta_ns


@gaps
def test_a_slow_leaf_is_charged_once(trace, gap) -> None:
    """300 ms more in a leaf are 300 ms at the leaf, and nothing at its callers."""
    sides = []
    for bank in (25, 325):
        t = trace()
        root = t.span("POST /buy", 0, bank + 90, kind=SERVER, service="front")
        pay = t.span("pay", 10, bank + 60, root, service="payment")
        t.span("bank", 15 + gap, bank + 15 + gap, pay, service="bank")
        sides.append(t.build())
    result = compare(*sides)
    exact(result, 300)
    moved = {c.operation: c.delta_ns for c in result.contributions if c.delta_ns}
    assert moved == {"bank": 300_000_000}
    assert [c.operation for c in result.causes] == ["bank"]


@gaps
def test_an_n_plus_one_is_one_cause(trace, gap) -> None:
    """57 further queries are one cause with both counts."""
    sides = []
    for times in (3, 60):
        t = trace()
        root = t.span("GET /cart", 0, times * (5 + gap) + 20, kind=SERVER, service="cart")
        for i in range(times):
            t.span("SELECT", 10 + i * (5 + gap), 15 + i * (5 + gap), root, kind=CLIENT, service="cart",
                   attributes={"db.system": "mysql", "db.statement": " ".join(("SELECT * FROM item WHERE id =", str(i)))})  # fmt: skip
        sides.append(t.build())
    result = compare(*sides)
    exact(result, 57 * (5 + gap))
    assert [(c.kind, c.operation) for c in result.causes] == [(CauseKind.MORE_CALLS, "SELECT")]
    assert "60 times instead of 3" in result.causes[0].summary
    assert result.causes[0].share == pytest.approx(1, abs=0.01)


@gaps
def test_calls_in_a_row_are_charged_to_their_caller(trace, gap) -> None:
    """No span is slower; the calls no longer run beside each other."""
    sides = []
    for step in (0, 30 + gap):
        t = trace()
        root = t.span("quote", 0, 2 * step + 45, kind=SERVER, service="quote")
        for i, name in enumerate(("air", "rail", "bus")):
            t.span(name, 5 + i * step, 35 + i * step, root, kind=CLIENT, service="quote")
        sides.append(t.build())
    result = compare(*sides)
    exact(result, 2 * (30 + gap))
    assert [(c.kind, c.operation) for c in result.causes] == [(CauseKind.SERIALISED, "quote")]


@gaps
def test_a_failed_try_is_an_extra_call_not_the_call_that_succeeded(trace, gap) -> None:
    """The baseline's call is matched with the try that succeeds; the failed one is the cost."""
    sides = []
    for failed in (False, True):
        t = trace()
        late = 60 + gap if failed else 0
        root = t.span("POST /pay", 0, 60 + late, kind=SERVER)
        if failed:
            t.span("charge", 10, 70, root, kind=CLIENT, error=True)
        t.span("charge", 10 + late, 50 + late, root, kind=CLIENT)
        sides.append(t.build())
    result = compare(*sides)
    exact(result, 60 + gap)
    assert [(c.kind, c.operation) for c in result.causes] == [(CauseKind.RETRY, "charge")]
    assert result.verdict.kind is VerdictKind.SLOWER


@gaps
def test_equal_requests_have_no_difference_whatever_their_ids(trace, gap) -> None:
    """Siblings that start at the same instant are not told apart by their random ids."""
    sides = []
    for seed in (1, 2):
        rng = random.Random(seed)  # noqa: S311 - ids and jitter that repeat
        t = trace()
        root = t.span("GET /", 0, 60, kind=SERVER, span_id=f"{rng.getrandbits(64):016x}")
        for name in ("a", "b", "c"):
            for i in range(2):
                t.span(name, 5 + 20 * i, 25 + 20 * i - gap, root, span_id=f"{rng.getrandbits(64):016x}")
        sides.append(t.build())
    result = compare(*sides)
    assert result.verdict.kind is VerdictKind.IDENTICAL
    assert result.findings == ()


@gaps
def test_a_caller_that_waits_is_charged_with_the_wait(trace, gap) -> None:
    """200 ms that no call covers are the root's own."""
    sides = []
    for wait in (5, 205):
        t = trace()
        root = t.span("GET /", 0, wait + 45, kind=SERVER)
        t.span("a", 5, 20, root)
        t.span("b", 20 + gap + wait, 40 + gap + wait, root)
        sides.append(t.build())
    result = compare(*sides)
    exact(result, 200)
    assert {c.operation: c.delta_ns for c in result.contributions if c.delta_ns} == {"GET /": 200_000_000}
    assert "most of it lies between its calls" in result.causes[0].evidence


def test_a_release_another_host_and_a_swallowed_exception_are_changes(trace) -> None:
    """Nothing is slower, and still three things are told."""
    sides = []
    for version, host in (("1.4.2", "node-1"), ("1.5.0", "node-2")):
        t = trace()
        resource = {"service.version": version, "host.name": host, "cloud.availability_zone": f"zone of {host}"}
        events = () if version == "1.4.2" else (Event("exception", 0, {"exception.type": "CacheMiss"}),)
        t.span("GET /", 0, 40, kind=SERVER, resource=resource, events=events)
        sides.append(t.build())
    result = compare(*sides)
    assert result.verdict.kind is VerdictKind.CHANGED
    assert {"version-changed", "place-changed", "exception-recorded"} == {f.finding for f in result.findings}


def test_one_planted_n_plus_one_among_a_thousand_jittering_spans_is_the_one_cause(trace) -> None:
    """Every duration varies by a few per cent and every id is new: the answer is still one cause."""
    sides = []
    for seed, times in ((1, 1), (2, 60)):
        rng = random.Random(seed)  # noqa: S311 - ids and jitter that repeat
        t = trace()
        root = t.span("GET /", 0, 1, kind=SERVER)
        at = 1.0
        for i in range(100):
            begin = at
            attributes = {"thread.id": rng.randrange(10_000), "net.peer.port": rng.randrange(60_000)}
            step = t.span(f"step {chr(97 + i % 26)}{chr(97 + i // 26)}", at, at, root, attributes=attributes)
            for _ in range(9):
                took = 2 * rng.uniform(0.95, 1.05)
                t.span("read", at, at + took, step, attributes={"request.id": f"{rng.getrandbits(64):016x}"})
                at += took
            t.spans[t.spans.index(step)] = _ending(step, at - begin)
            if i == 50:
                for _ in range(times):
                    t.span("SELECT", at, at + 3, root, kind=CLIENT,
                           attributes={"db.system": "mysql", "db.statement": " ".join(("SELECT * FROM t WHERE id =", str(at)))})  # fmt: skip
                    at += 3
        t.spans[0] = _ending(root, at + 1)
        sides.append(t.build())
    result = compare(*sides)
    assert [c.finding for c in result.causes] == ["repeated-calls"]
    assert len(result.findings) == 1


def _ending(span, duration_ms: float):

    return replace(span, end_ns=span.start_ns + round(duration_ms * 1e6))
