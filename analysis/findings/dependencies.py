"""Calls that came or went: what the findings about new, removed and no longer cached calls share.

Only the top of a new subtree is named; what is below it came with it. A layer that merely forwards to matched work
is another way of instrumenting, and a far end that shows on one side only is a hole in the data: neither is a call
that came or went. Nor is one that stands elsewhere on the other side, where spans were lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.comparison import CauseKind
from analysis.findings.base import Candidate, Context, Tier, label, name_of, once
from analysis.findings.errors import peer_of
from analysis.findings.missing_spans import unseen
from analysis.findings.repeated_calls import multiplied
from analysis.findings.version_changed import versions
from analysis.format import count, duration
from analysis.model import SpanKind

if TYPE_CHECKING:
    from analysis.align import Pair
    from analysis.profile import CallGroup, Profile

LOST = ("missing-parents", "root-missing", "partial-trace")  # notes of a trace that is not whole
OUTWARD = (SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.SERVER, SpanKind.CONSUMER)


@once
def changed_calls(context: Context) -> list[tuple[Pair, list[Pair], list[Pair]]]:
    """List callers with the calls that only B makes and those that only A makes."""
    found = []
    # Where a caller was lost, what it called was put under another one: it stands in another place, no more.
    lost = _lost_spans(context.baseline) or _lost_spans(context.suspect)
    in_a, in_b = (
        {group.key for group in side.groups} if lost else set() for side in (context.baseline, context.suspect)
    )
    for caller in context.alignment.pairs:
        if not caller.baseline or not caller.suspect:
            continue
        only_b = [child for child in caller.children if _appears(child.baseline, child.suspect, child, in_a)]
        only_a = [child for child in caller.children if _appears(child.suspect, child.baseline, child, in_b)]
        only_b = [child for child in only_b if context.mirrored or not multiplied(child, caller, context)]
        if only_a or only_b:
            found.append((caller, only_b, only_a))
    return found


def _appears(absent: list[CallGroup], present: list[CallGroup], pair: Pair, elsewhere: set[int]) -> bool:
    if absent or not present or unseen(pair) or any(group.key in elsewhere for group in present):
        return False
    return pair.how != "layer" and not any(inner.baseline and inner.suspect for inner in pair.children)


def changed(caller: Pair, pairs: list[Pair], others: list[Pair], context: Context, *, came: bool) -> Candidate:
    """Return the candidate of one caller's calls that came (or went), named by the weightiest of them."""
    claims: dict[int, int] = {}
    weight = {}
    for pair in pairs:
        below = context.claims_below(pair)
        weight[id(pair)] = sum(abs(ns) for ns in below.values())
        claims.update(below)
    main = max(pairs, key=lambda pair: (pair.key.kind in OUTWARD, weight[id(pair)], pair.key.name, pair.key.detail))
    service, operation = name_of(main, context)
    peer = peer_of(main, context)
    evidence = [_describe(pair, context, came=came) for pair in sorted(pairs, key=lambda pair: -weight[id(pair)])]
    evidence += [f"instead: {_describe(pair, context, came=not came)}" for pair in others]
    where = f" to {peer}" if peer else ""
    kind = CauseKind.NEW_CALLS if came else CauseKind.REMOVED_CALLS
    summary = f"{caller.key.name} in {caller.key.service} {'now' if came else 'no longer'} calls {operation}{where}"
    old, new = versions(caller.baseline, context.baseline), versions(caller.suspect, context.suspect)
    if came and old and new and old != new and main.key.kind in OUTWARD:
        kind = CauseKind.VERSION_CHANGE
        summary += f", since {caller.key.service} changed from {old} to {new}"
        evidence.insert(0, f"{caller.key.service} is version {old} in A and {new} in B")
    baseline_ids, suspect_ids = context.span_ids(main)
    return Candidate(
        finding="new-calls" if came else "removed-calls",
        title="New calls" if came else "Calls gone",
        kind=kind,
        tier=Tier.STRUCTURE,
        service=service,
        operation=operation,
        peer_service=peer,
        pair=main,
        claims=claims,
        certain=not _lost_spans(context.baseline) and not _lost_spans(context.suspect),
        summary=summary,
        evidence=evidence,
        baseline_spans=baseline_ids,
        suspect_spans=suspect_ids,
    )


def _lost_spans(side: Profile) -> bool:
    """Tell whether spans of a side were not received: calls may be missing there, or stand in another place."""
    return any(note.code in LOST for note in side.tree.notes)


def _describe(pair: Pair, context: Context, *, came: bool) -> str:
    share = context.share_of[id(pair)]
    sums = share.suspect if came else share.baseline
    return f"{label(pair)}: {count(sums.calls, 'call')} only in {'B' if came else 'A'}, {duration(sums.total_ns)}"
