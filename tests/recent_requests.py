"""Recent requests of one operation: own work, a query, and what is different in some of them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from msgspec.structs import replace

from analysis import Population, compare
from analysis.model import SpanKind

if TYPE_CHECKING:
    from analysis import Comparison, Trace
    from analysis.comparison import PopulationView, Recurrence

MINUTE = 60 * 10**9
A, B = "a" * 32, "b" * 32


def request(trace, number: float, *, query=20.0, own=10.0, calls=1, cached=True, error=False, trace_id="") -> Trace:
    """Return a request that starts `number` minutes in: own work, a query, and another one when not cached."""
    t = trace()
    end = own + query * calls + (0 if cached else 20)
    root = t.span("GET /items", 0, end, kind=SpanKind.SERVER)
    at = own
    for _ in range(calls):
        t.span("SELECT", at, at + query, root, kind=SpanKind.CLIENT, error=error)
        at += query
    if not cached:
        t.span("recompute", at, at + 20, root, kind=SpanKind.CLIENT)
    built = t.build()
    shift = round(number * MINUTE)
    spans = tuple(replace(s, start_ns=s.start_ns + shift, end_ns=s.end_ns + shift) for s in built.spans)
    return replace(built, trace_id=trace_id or f"{round(number * 100) + 1:032x}", spans=spans)


def population(trace, number=60, **odd) -> Population:
    """Return requests a minute apart whose times scatter; `odd`: per index, what is different there."""
    rng = random.Random(number)  # noqa: S311 - test data
    changes = odd.get("changes", {})
    traces = []
    for i in range(number):
        usual = {"query": 20 * rng.lognormvariate(0, 0.1), "own": 10 * rng.lognormvariate(0, 0.1)}
        traces.append(request(trace, i, **{**usual, **changes.get(i, {})}))
    return Population.from_traces(traces)


def slow(indices, query=200.0) -> dict[int, dict[str, float]]:
    """Return changes that make some requests of a population slow."""
    return {i: {"query": query + i} for i in indices}


def judged(trace, recent: Population, *, at: float = 45.5, **suspect) -> Comparison:
    """Compare a usual request with a suspect in the population's time."""
    baseline = request(trace, 5.5, trace_id=A)
    return compare(baseline, request(trace, at, trace_id=B, **{"query": 220, **suspect}), recent)


def seen(result: Comparison) -> PopulationView:
    """Return what the population says, which must be something."""
    assert result.population is not None
    return result.population


def again(result: Comparison) -> Recurrence:
    """Return whether others show the first cause."""
    standing = result.causes[0].population
    assert standing is not None
    assert standing.recurrence is not None
    return standing.recurrence
