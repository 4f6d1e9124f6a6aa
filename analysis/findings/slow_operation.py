"""operation-slower: the calls themselves take longer, with nothing below them to blame.

    A   price |---|                         B   price |------------------|
        (no children)                           (no children)

For a span with children its own time is what none of them covers: computing, waiting for a lock or a pool.
A call to something that sends no spans (a database, a third party) is its own: nobody can see inside. Where most calls
take as long as before and a few far longer, it says so: their mean is what none of them takes.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from msgspec.structs import replace

from analysis import semconv
from analysis.comparison import CauseKind
from analysis.findings import base
from analysis.findings.base import Candidate, Context, Tier, name_of, once
from analysis.findings.connection_phases import phases
from analysis.findings.differences import differences
from analysis.findings.errors import peer_of
from analysis.findings.missing_spans import unseen
from analysis.format import duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.align import Pair
    from analysis.attribute import Share
    from analysis.options import CompareOptions

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
        growth = grew(share, context)
        if growth:
            made = slower(share, growth, context)
            few = _few(share, context)
            yield replace(made, summary=f"{_said(share.pair, context)} takes {few}") if few else made


def grew(share: Share, context: Context) -> int:
    """Return how much (ns) a pair's own time grew; 0 when not beyond jitter."""
    return _grown(context).get(id(share), 0)


@once
def _grown(context: Context) -> dict[int, int]:
    return {id(share): _grew(share, context) for share in context.attribution.shares}


def _grew(share: Share, context: Context) -> int:
    if not share.pair.baseline or not share.pair.suspect:
        return 0
    if _detached(share.pair, context):
        before, after = context.before(share), context.after(share)
        usual = before.self_ns * max(1, after.calls // before.calls)  # more of the same calls are no slower ones
        growth = after.self_ns - usual
        return growth if growth > max(context.options.queue_delay_floor_ns, usual) else 0
    growth = own_growth(share, context)
    # Most pairs are within the least of all noises: nothing more need be worked out for them.
    return growth if growth > context.options.group_noise_ns and growth > context.noise(share) else 0


def _detached(pair: Pair, context: Context) -> bool:
    """Tell whether nobody waits for a pair's calls on the slower side."""
    return all(group.detached for group in (pair.baseline if context.mirrored else pair.suspect))


def own_growth(share: Share, context: Context) -> int:
    """Return how much of a pair's growth (ns) is its calls' own time.

    A call whose far end shows on one side only holds, on the other, the far end's time as its own; both count.
    """
    own = 0
    for part, ns in share.parts.items():
        if part in OWN_PARTS:
            own += ns
    own = -own if context.mirrored else own
    pair = share.pair
    if pair.children and pair.key.kind in semconv.CALLING:
        own += sum(sum(context.claims_below(end).values()) for end in pair.children if unseen(end))
    return own


def slower(share: Share, growth: int, context: Context) -> Candidate:
    """Return the candidate of a pair whose own time grew; work that nobody waits for claims none of the response."""
    pair = share.pair
    claims = {} if _detached(pair, context) else {id(pair): growth}
    service, operation = name_of(pair, context)
    a, b = share.baseline, share.suspect
    calls = "" if a.calls == b.calls == 1 else f" over {a.calls} calls in A, {b.calls} in B"
    evidence = [f"own time {duration(a.self_ns)} in A, {duration(b.self_ns)} in B{calls}"]
    where = max(OWN_PARTS, key=lambda part: abs(share.parts.get(part, 0)))
    if where in PLACES and not any(unseen(end) for end in pair.children):
        evidence.append(f"most of it lies {PLACES[where]}")
    if pair.key.further:
        evidence.append(f"what it does: {pair.key.further}")
    peer = peer_of(pair, context) if pair.key.kind in semconv.CALLING else None
    evidence += _blind(pair, peer)
    evidence += phases(pair, context)
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
        summary=f"{_said(pair, context)} takes {duration(each_b)} instead of {duration(each_a)}",
        evidence=evidence,
        baseline_spans=baseline_ids,
        suspect_spans=suspect_ids,
    )


def because(
    share: Share, growth: int, context: Context, code: str, title: str, reason: str, evidence: list[str]
) -> Candidate:
    """Return the candidate of a slower pair whose spans say why: the reason follows the times in one sentence."""
    return base.because(slower(share, growth, context), code, title, reason, evidence)


def _blind(pair: Pair, peer: str | None) -> Iterable[str]:
    """Say where the trace cannot see inside a call: nothing of the other end shows, on both sides or on one."""
    if pair.key.kind not in semconv.CALLING:
        return
    if not pair.children:
        yield f"{peer or 'the other end'} sent no spans: the trace cannot see inside this call"
    for end in pair.children:
        if unseen(end):
            dark = "A" if end.suspect else "B"
            yield f"{end.key.service} sent no spans in {dark}: the trace cannot see inside the call there"


def _few(share: Share, context: Context) -> str:
    """Say how long the few calls take that alone became slower; "" when the typical one did, or too few show it."""
    options = context.options
    if context.after(share).calls <= options.first_call_others:
        return ""
    sides = (share.pair.baseline, context.baseline, "A"), (share.pair.suspect, context.suspect, "B")
    (quick, of_quick, a), (slow, of_slow, b) = sides[::-1] if context.mirrored else sides
    before = [of_quick.own_ns[i] for group in quick for i in group.spans]
    after = [(of_slow.own_ns[i], of_slow.tree.ends[i] - of_slow.tree.starts[i]) for group in slow for i in group.spans]
    limit = _jitter(max(before), options)
    struck = [took for own, took in after if own > limit]
    if not struck or median(own for own, _ in after) > _jitter(median(before), options):
        return ""
    others = [took for own, took in after if own <= limit]
    return (
        f"{duration(int(median(struck)))} in {len(struck)} of {len(after)} calls of {b}, "
        f"in the others {duration(int(median(others)))} as in {a}"
    )


def _jitter(own_ns: float, options: CompareOptions) -> float:
    """Return how long a call may take that otherwise takes `own_ns`."""
    return own_ns + options.group_noise_ns + options.group_noise_ratio * own_ns


def _said(pair: Pair, context: Context) -> str:
    """Name a pair with what it does."""
    service, operation = name_of(pair, context)
    detail = pair.key.further
    return f"{operation} in {service}" + (f" ({context.brief(detail, 80)})" if detail else "")
