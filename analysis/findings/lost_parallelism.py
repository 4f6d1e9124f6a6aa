"""lost-parallelism: calls that ran beside each other now run one after another.

    A   home |---------|                    B   home |------------------------|
          books |-----|                           books |-----|
          games |----|                            games         |----|
          audio |------|                          audio               |------|

No single call became slower; the caller did. Charged to the caller, with the calls as evidence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.comparison import CauseKind
from analysis.findings.base import Candidate, Context, Tier, name_of
from analysis.format import duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.align import Pair

CODE = "lost-parallelism"
TITLE = "Lost parallelism"


def find(context: Context) -> Iterable[Candidate]:
    """Yield callers whose children lost their concurrency."""
    for pair in context.alignment.pairs:
        measured = context.attribution.overlap.get(id(pair))
        if measured is None:
            continue
        before, after = measured[::-1] if context.mirrored else measured
        if before <= 1.0 or after > before * context.options.overlap_drop:
            continue
        claims = _claims(pair, context)
        if sum(claims.values()) <= context.noise(context.share_of[id(pair)]):
            continue
        own = context.growth(context.share_of[id(pair)])
        if own > 0:
            claims[id(pair)] = own  # the caller's turn between two calls, formerly hidden
        service, operation = name_of(pair, context)
        a, b = measured
        work_a, work_b = (duration(_total(pair, context, baseline=side)) for side in (True, False))
        calls = sum(context.share_of[id(child)].suspect.calls for child in pair.children)
        baseline_ids, suspect_ids = context.span_ids(pair)
        yield Candidate(
            finding=CODE,
            title=TITLE,
            kind=CauseKind.SERIALISED,
            tier=Tier.STRUCTURE,
            service=service,
            operation=operation,
            pair=pair,
            claims=claims,
            certain=True,
            summary=f"{operation} in {service} runs its {calls} calls one after another instead of in parallel",
            evidence=[
                f"{a:.1f} calls at a time in A, {b:.1f} in B",
                f"added up, the calls take {work_a} in A and {work_b} in B",
            ],
            baseline_spans=baseline_ids,
            suspect_spans=suspect_ids,
        )


def _claims(pair: Pair, context: Context) -> dict[int, int]:
    """Return what each pair below grew by being exposed, its own slowness aside."""
    claims = {}
    stack = list(pair.children)
    while stack:
        inner = stack.pop()
        share = context.share_of[id(inner)]
        moved = share.parts.get("lost_parallelism", 0) + share.parts.get("path_switched", 0)
        claims[id(inner)] = -moved if context.mirrored else moved
        stack.extend(inner.children)
    return claims


def _total(pair: Pair, context: Context, *, baseline: bool) -> int:
    shares = [context.share_of[id(child)] for child in pair.children]
    return sum((share.baseline if baseline else share.suspect).total_ns for share in shares)
