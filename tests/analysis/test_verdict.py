"""The verdict on two traces where no word of it is obvious."""

from __future__ import annotations

from analysis import compare
from analysis.comparison import VerdictKind
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
