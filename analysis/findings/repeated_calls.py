"""repeated-calls: one operation calls another many times more than before (N+1).

    A   products |-----|                    B   products |------------------------|
          SELECT   |-|                            SELECT   |-||-||-||-||-||-||-|

Calls are counted per call of their caller, so that only the place where the repetition begins is named.
Siblings repeated together (the query and the cache write of each item) are one finding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.comparison import CauseKind
from analysis.findings.base import Candidate, Context, Tier, label, name_of
from analysis.findings.differences import differences
from analysis.findings.errors import peer_of
from analysis.format import count, duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.align import Pair

CODE = "repeated-calls"
TITLE = "Repeated calls"


def find(context: Context) -> Iterable[Candidate]:
    """Yield one candidate per caller whose calls multiplied."""
    for caller in context.alignment.pairs:
        repeated = [child for child in caller.children if multiplied(child, context)]
        if repeated:
            yield _candidate(caller, repeated, context)


def multiplied(pair: Pair, context: Context) -> bool:
    """Tell whether a call is made many times more than before, per call of its caller."""
    share = context.share_of[id(pair)]
    before, after = float(context.before(share).calls), float(context.after(share).calls)
    if pair.parent is not None:
        above = context.share_of[id(pair.parent)]
        callers_before, callers_after = context.before(above).calls, context.after(above).calls
        if not callers_before or not callers_after:
            return False
        before, after = before / callers_before, after / callers_after
    options = context.options
    return after - before >= options.repeat_calls and after >= options.repeat_ratio * before


def _candidate(caller: Pair, repeated: list[Pair], context: Context) -> Candidate:
    claims: dict[int, int] = {}
    weight = {}
    for pair in repeated:
        below = context.claims_below(pair)
        weight[id(pair)] = sum(below.values())
        claims.update(below)
    caller_share = context.share_of[id(caller)]
    # Between two calls the caller prepares the next: that time belongs to the repetition as well.
    claims[id(caller)] = max(0, context.growth(caller_share))
    main = max(repeated, key=lambda pair: (weight[id(pair)], pair.key.name, pair.key.detail))
    share = context.share_of[id(main)]
    service, operation = name_of(main, context)
    alike = [context.share_of[id(pair)] for pair in repeated if pair.key.name == main.key.name]
    times_a, times_b = sum(s.baseline.calls for s in alike), sum(s.suspect.calls for s in alike)
    evidence = []
    for pair in sorted(repeated, key=lambda pair: -weight[id(pair)]):
        its = context.share_of[id(pair)]
        evidence.append(
            f"{label(pair)}: {count(its.baseline.calls, 'call')} in A, {its.suspect.calls} in B, "
            f"{duration(its.suspect.total_ns // max(1, its.suspect.calls))} each in B"
        )
    evidence += differences(caller, context)
    baseline_ids, suspect_ids = context.span_ids(main)
    kind = CauseKind.MORE_CALLS if share.baseline.calls and share.suspect.calls else CauseKind.NEW_CALLS
    return Candidate(
        finding=CODE,
        title=TITLE,
        kind=kind,
        tier=Tier.STRUCTURE,
        service=service,
        operation=operation,
        peer_service=peer_of(main, context),
        pair=main,
        claims=claims,
        certain=True,
        summary=f"{operation} in {service} runs {times_b} times instead of {times_a}",
        evidence=evidence,
        baseline_spans=baseline_ids,
        suspect_spans=suspect_ids,
    )
