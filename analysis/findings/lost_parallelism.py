"""lost-parallelism: calls that ran beside each other now run one after another.

    A   home |---------|                    B   home |------------------------|
          books |-----|                           books |-----|
          games |----|                            games         |----|
          audio |------|                          audio               |------|

No single call became slower; the caller did. Charged to the caller, with the calls as evidence. Known by the pairs of
calls that ran beside each other and no longer do: that one call outlasts the others takes nothing from them.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from msgspec import Struct

from analysis.comparison import CauseKind
from analysis.findings.base import Candidate, Context, Tier, name_of
from analysis.format import duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.align import Pair
    from analysis.profile import CallGroup, Profile

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
        sides = _beside(pair.baseline, context.baseline, context), _beside(pair.suspect, context.suspect, context)
        many, few = sides[::-1] if context.mirrored else sides
        if few.each > many.each * context.options.overlap_drop:
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
            certain=sum(claims.values()) >= context.options.cause_share * abs(context.attribution.delta_ns),
            summary=f"{operation} in {service} runs {_how(many, few, measured, context)}",
            evidence=[
                f"{a:.1f} calls at a time in A, {b:.1f} in B",
                f"added up, the calls take {work_a} in A and {work_b} in B",
            ],
            baseline_spans=baseline_ids,
            suspect_spans=suspect_ids,
        )


class Beside(Struct, frozen=True):
    """How many calls a caller makes, how many of them run beside another, and how many pairs of them do."""

    calls: int
    beside: int
    pairs: int

    @property
    def each(self) -> float:
        """Beside how many others a call runs, each pair counted once."""
        return self.pairs / max(1, self.calls)


def _beside(groups: list[CallGroup], side: Profile, context: Context) -> Beside:
    tree = side.tree
    calls = pairs = 0
    beside: set[int] = set()
    for caller in (i for group in groups for i in group.spans):
        running: list[tuple[int, int]] = []  # a heap: when they end
        calls += len(tree.held[caller])
        for call in tree.held[caller]:
            while running and running[0][0] - tree.starts[call] < context.options.rounding_ns:
                heappop(running)
            pairs += len(running)
            if running:
                beside |= {call, running[0][1]}
            heappush(running, (tree.ends[call], call))
    return Beside(calls, len(beside), pairs)


def _how(many: Beside, few: Beside, measured: tuple[float, float], context: Context) -> str:
    """Say how the calls run in B, and how they ran in A."""
    if few.pairs:
        a, b = measured
        return f"its {many.calls} calls {b:.1f} at a time instead of {a:.1f}"
    which = "its" if many.beside == many.calls else f"{many.beside} of its"
    how = ("in parallel", "one after another") if context.mirrored else ("one after another", "in parallel")
    return f"{which} {many.calls} calls {how[0]} instead of {how[1]}"


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
