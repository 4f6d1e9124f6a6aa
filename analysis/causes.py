"""From candidates to causes: who explains which nanoseconds, and in what order to say it.

Candidates claim nanoseconds of pairs, and several may claim the same ones: an N+1 also looks like a slower
caller, a retry like an error. They take turns, the more fundamental first (`Tier`), each taking what is left:

    growth of pairs       |=====================|====|==|
    retries   (failure)   |#################|
    slow query (time)           |...........#####|         mostly taken already: a symptom of the retries
    slower host (time)                              |##|   a cause of its own

A candidate that finds most of its claim taken becomes a symptom of the one that took it. What only differs (a setting,
a log event) explains nothing by itself, but is a hint where something does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.comparison import CauseKind
from analysis.consequences import fold
from analysis.explanation import Explanation
from analysis.findings.base import Candidate, Tier
from analysis.findings.registry import FINDINGS

if TYPE_CHECKING:
    from analysis.findings.base import Context

PREFERENCE = {finding.CODE: place for place, finding in enumerate(FINDINGS)}


def explain(candidates: list[Candidate], context: Context, *, significant: bool) -> list[Explanation]:
    """Resolve overlapping claims and rank what remains, most important first.

    `significant`: the response time changed beyond doubt, so nanoseconds decide; otherwise what certainly
    changed (structure, outcome) comes before what may be jitter.
    """
    left = {id(share.pair): max(0, context.growth(share)) for share in context.attribution.shares}
    owner: dict[int, Explanation] = {}
    explanations: list[Explanation] = []
    for candidate in sorted((c for c in candidates if not c.aside), key=_turn):
        explained = 0
        lost_to: dict[int, int] = {}
        for pair, claim in candidate.claims.items():
            if claim <= 0:
                continue
            got = min(claim, left[pair])
            explained += got
            if got < claim and pair in owner:
                lost_to[id(owner[pair])] = lost_to.get(id(owner[pair]), 0) + claim - got
        wanted = sum(claim for claim in candidate.claims.values() if claim > 0)
        if wanted and explained < (1 - context.options.taken_share) * wanted and lost_to and not _stands(candidate):
            main = next(e for e in explanations if id(e) == max(lost_to, key=lambda key: lost_to[key]))
            if _waited_for(candidate, main.candidate) and not context.mirrored:
                main.waited_for.append(candidate)
            elif candidate.pair is not main.candidate.pair or candidate.tier < Tier.SHARED:
                main.symptoms.append(candidate)  # else it says of the same calls what the cause has said better
            continue
        made = Explanation(candidate=candidate, explained_ns=explained, symptoms=[])
        explanations.append(made)
        for pair, claim in candidate.claims.items():
            if claim > 0:
                left[pair] -= min(claim, left[pair])
                owner.setdefault(pair, made)
    explanations = fold(explanations, context)
    asides = [c for c in candidates if c.aside]
    for e in explanations:
        e.hints = [c for c in asides if _hints_at(c, e.candidate)]
    failures_first = not (significant and explained_beside(explanations, context))
    return sorted(explanations, key=lambda e: _rank(e, context, significant=significant, failures_first=failures_first))


def explained_beside(explanations: list[Explanation], context: Context) -> bool:
    """Tell whether something explains a large difference although the request as a whole succeeds.

    Then an error inside counts by its time, like everything else: a picture that was not found is no news beside
    a query that takes 2 s longer.
    """
    low, high = sorted((context.baseline.tree.response_ns, context.suspect.tree.response_ns))
    if not context.answers or high < context.options.outweigh_ratio * low:
        return False
    return any(e.explained_ns >= context.options.concentrated_share * (high - low) for e in explanations)


def _waited_for(candidate: Candidate, failed: Candidate) -> bool:
    """Tell whether something takes longer inside of what then failed: it is no consequence of that."""
    inside = candidate.pair is not failed.pair and any(pair is failed.pair for pair in candidate.pair.upwards())
    return failed.tier is Tier.FAILURE and candidate.tier >= Tier.SHARED and inside


def _turn(candidate: Candidate) -> tuple[int, int, int, str, str]:
    preference = PREFERENCE[candidate.finding]
    return (candidate.tier, -candidate.claimed_ns, preference, candidate.service, candidate.operation)


def _hints_at(aside: Candidate, cause: Candidate) -> bool:
    """Tell whether what differs may have to do with a cause: it concerns the same calls, or all of their service."""
    return aside.pair is cause.pair or (aside.kind is CauseKind.VERSION_CHANGE and aside.service == cause.service)


def _stands(candidate: Candidate) -> bool:
    return candidate.certain and candidate.kind in (CauseKind.ERROR, CauseKind.REMOVED_CALLS)


def _rank(
    e: Explanation, context: Context, *, significant: bool, failures_first: bool
) -> tuple[int, int, int, str, str]:
    candidate = e.candidate
    failing = candidate.tier is Tier.FAILURE and candidate.kind is CauseKind.ERROR
    matters = e.weight_ns >= context.options.cause_share * max(1, abs(context.attribution.delta_ns))
    if failing and failures_first:
        group = 0
    elif significant:
        group = 1 if matters else 2
    elif candidate.tier is Tier.CONTEXT:
        group = 3
    else:
        off_path = candidate.off_path_ns > abs(context.attribution.delta_ns)
        group = 1 if candidate.certain or off_path else 2
    return (group, -e.weight_ns, candidate.tier, candidate.service, candidate.operation)
