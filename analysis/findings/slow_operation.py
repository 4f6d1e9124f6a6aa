"""operation-slower: the calls themselves take longer, with nothing below them to blame.

    A   price |---|                         B   price |------------------|
        (no children)                           (no children)

For a span with children its own time is what none of them covers: computing, waiting for a lock or a pool.
A call to something that sends no spans (a database, a third party) is its own: nobody can see inside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis import semconv
from analysis.comparison import CauseKind
from analysis.differences import differences
from analysis.findings.base import Candidate, Context, Tier, name_of
from analysis.findings.errors import peer_of
from analysis.format import duration, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.align import Pair
    from analysis.attribute import Share

CODE = "operation-slower"
TITLE = "Slower operation"

OWN_PARTS = ("own_work", "gap_before_children", "gap_between_children", "gap_after_children")
PLACES = {
    "gap_before_children": "before its first call",
    "gap_between_children": "between its calls",
    "gap_after_children": "after its last call",
}


def find(context: Context) -> Iterable[Candidate]:
    """Yield operations whose own time grew beyond jitter."""
    for share in context.attribution.shares:
        if not share.pair.baseline or not share.pair.suspect:
            continue
        if all(group.detached for group in share.pair.suspect):
            growth = context.after(share).self_ns - context.before(share).self_ns
            if growth > context.options.queue_delay_floor_ns and growth > context.before(share).self_ns:
                yield _candidate(share, growth, {}, context)
            continue
        growth = own_growth(share, context)
        if growth > context.noise(share):
            yield _candidate(share, growth, {id(share.pair): growth}, context)


def own_growth(share: Share, context: Context) -> int:
    """Return how much of a pair's growth (ns) is its calls' own time."""
    own = sum(share.parts.get(part, 0) for part in OWN_PARTS)
    return -own if context.mirrored else own


def _candidate(share: Share, growth: int, claims: dict[int, int], context: Context) -> Candidate:
    pair = share.pair
    service, operation = name_of(pair, context)
    a, b = share.baseline, share.suspect
    calls = "" if a.calls == b.calls == 1 else f" over {a.calls} calls in A, {b.calls} in B"
    evidence = [f"own time {duration(a.self_ns)} in A, {duration(b.self_ns)} in B{calls}"]
    where = max(OWN_PARTS, key=lambda part: abs(share.parts.get(part, 0)))
    if where in PLACES:
        evidence.append(f"most of it lies {PLACES[where]}")
    if pair.key.detail and pair.key.detail != pair.key.name:
        evidence.append(f"what it does: {pair.key.detail}")
    peer = peer_of(pair, context) if pair.key.kind in semconv.CALLING else None
    if pair.key.kind in semconv.CALLING and not pair.children:
        evidence.append(f"{peer or 'the other end'} sent no spans: the trace cannot see inside this call")
    evidence += differences(pair, context)
    baseline_ids, suspect_ids = context.span_ids(pair)
    each_a, each_b = a.total_ns // max(1, a.calls), b.total_ns // max(1, b.calls)
    return Candidate(
        finding=CODE,
        title=TITLE,
        kind=CauseKind.SELF_TIME_INCREASE,
        tier=Tier.TIME,
        service=service,
        operation=operation,
        peer_service=peer,
        pair=pair,
        claims=claims,
        off_path_ns=0 if claims else growth,
        affects="response" if claims else "completion",
        summary=f"{operation} in {service}{_what(pair)} takes {duration(each_b)} instead of {duration(each_a)}",
        evidence=evidence,
        baseline_spans=baseline_ids,
        suspect_spans=suspect_ids,
    )


def _what(pair: Pair) -> str:
    detail = pair.key.detail
    return f" ({shorten(detail, 80)})" if detail and detail != pair.key.name else ""
