"""repeated-calls: one operation calls another many times more than before (N+1).

    A   products |-----|                    B   products |------------------------|
          SELECT   |-|                            SELECT   |-||-||-||-||-||-||-|

Calls are counted per call of their caller, so that only the place where the repetition begins is named. Few further
calls are a finding as well when, at their usual cost, they explain much of the difference (three calls of 100 ms
instead of one).
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
    """Yield one candidate per caller whose calls multiplied, or whose few further calls cost much."""
    for caller in context.alignment.pairs:
        repeated = [child for child in caller.children if multiplied(child, caller, context)]
        if repeated:
            yield _candidate(caller, repeated, context, certain=True)
            continue
        costly = [child for child in caller.children if _costs_much(child, caller, context)]
        if costly:
            yield _candidate(caller, costly, context, certain=False)


def multiplied(pair: Pair, caller: Pair, context: Context) -> bool:
    """Tell whether a call is made many times more than before, per call of its caller."""
    options = context.options
    if context.after(context.share_of[id(pair)]).calls < options.repeat_calls:
        return False  # most pairs, for less than their rates take
    before, after = _rates(pair, caller, context)
    return after - before >= options.repeat_calls and after >= options.repeat_ratio * before


def _costs_much(pair: Pair, caller: Pair, context: Context) -> bool:
    """Tell whether calls made once or twice more than before, at their usual cost, explain much of the difference."""
    share, above = context.share_of[id(pair)], context.share_of[id(caller)]
    if share.baseline.calls == share.suspect.calls and above.baseline.calls == above.suspect.calls:
        return False  # most pairs, for less than their rates take
    before, after = _rates(pair, caller, context)
    if not 0 < before < after:
        return False
    below = context.claims_below(pair)
    usual = sum(context.before(context.share_of[id_]).exposed_ns for id_ in below)
    cost = usual * (after - before) / before
    options = context.options
    return cost >= options.further_calls_share * abs(context.attribution.delta_ns) and cost > options.group_noise_ns


def _rates(pair: Pair, caller: Pair, context: Context) -> tuple[float, float]:
    """Return how often a call is made per call of its caller, before and after; (0, 0) without a caller on a side."""
    share, above = context.share_of[id(pair)], context.share_of[id(caller)]
    callers_before, callers_after = context.before(above).calls, context.after(above).calls
    if not callers_before or not callers_after:
        return 0.0, 0.0
    return context.before(share).calls / callers_before, context.after(share).calls / callers_after


def _candidate(caller: Pair, repeated: list[Pair], context: Context, *, certain: bool) -> Candidate:
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
        certain=certain,
        summary=f"{operation} in {service} runs {times_b} times instead of {times_a}",
        evidence=evidence,
        baseline_spans=baseline_ids,
        suspect_spans=suspect_ids,
    )
