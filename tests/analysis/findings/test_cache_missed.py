"""cache-missed: what stands behind a cache is called although the cache is asked."""

from __future__ import annotations

from analysis import compare
from analysis.comparison import CauseKind
from analysis.model import SpanKind

CACHE = {"db.system": "redis", "net.peer.name": "cache"}
STORE = {"db.system": "postgresql", "db.statement": "SELECT * FROM items WHERE id = 7", "net.peer.name": "store"}


def loaded(trace, *, store: bool, refill: bool, hit: bool | None = None, cache: bool = True):
    """Return a trace that looks something up, with or without the way behind the cache."""
    t = trace()
    root = t.span("GET /item", 0, 130 if store else 20, kind=SpanKind.SERVER)
    if cache:
        attributes = CACHE | ({} if hit is None else {"cache.hit": hit})
        t.span("GET", 2, 4, root, kind=SpanKind.CLIENT, attributes=attributes)
    if store:
        t.span("SELECT", 5, 110, root, kind=SpanKind.CLIENT, attributes=STORE)
    if refill:
        t.span("SETEX", 112, 114, root, kind=SpanKind.CLIENT, attributes=CACHE)
    return t.build()


def test_a_lookup_followed_by_the_store_and_a_refill_is_a_miss(trace) -> None:
    """Asked as before, filled again in B: the cache no longer has the answer, and the store's call is named."""
    result = compare(loaded(trace, store=False, refill=False), loaded(trace, store=True, refill=True))
    first = result.causes[0]
    assert (first.finding, first.kind, first.operation) == ("cache-missed", CauseKind.NEW_CALLS, "SELECT")
    assert first.share > 0.9
    assert "cache" in result.next_steps[0].text


def test_a_lookup_that_says_it_missed_is_a_miss(trace) -> None:
    """An attribute that turns from hit to miss needs no refill."""
    a = loaded(trace, store=False, refill=False, hit=True)
    b = loaded(trace, store=True, refill=False, hit=False)
    first = compare(a, b).causes[0]
    assert first.finding == "cache-missed"
    assert any("cache.hit" in line for line in first.evidence)


def test_a_new_query_beside_a_cache_is_a_new_call(trace, only) -> None:
    """Without any sign of a miss the query is just new."""
    result = compare(loaded(trace, store=False, refill=False), loaded(trace, store=True, refill=False))
    assert only(result, "cache-missed") is None
    assert result.causes[0].finding == "new-calls"


def test_a_new_query_without_a_cache_is_a_new_call(trace, only) -> None:
    """Where no cache is asked on both sides nothing can have missed."""
    a, b = (loaded(trace, store=store, refill=False, cache=False) for store in (False, True))
    assert only(compare(a, b), "cache-missed") is None
