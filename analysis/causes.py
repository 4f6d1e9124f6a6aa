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

from msgspec import Struct

from analysis.comparison import CauseKind
from analysis.findings.base import Candidate, Tier
from analysis.findings.registry import FINDINGS

if TYPE_CHECKING:
    from analysis.align import Pair
    from analysis.findings.base import Context

PREFERENCE = {finding.CODE: place for place, finding in enumerate(FINDINGS)}


class Explanation(Struct, kw_only=True):
    """A candidate with what it alone explains (ns), the symptoms it covers, and what else differs where it is."""

    candidate: Candidate
    explained_ns: int
    symptoms: list[Candidate]
    hints: list[Candidate] = []

    @property
    def weight_ns(self) -> int:
        """What the explanation is worth, in or after the response."""
        return max(self.explained_ns, self.candidate.off_path_ns)


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
            if candidate.pair is not main.candidate.pair or candidate.tier < Tier.SHARED:
                main.symptoms.append(candidate)  # else it says of the same calls what the cause has said better
            continue
        made = Explanation(candidate=candidate, explained_ns=explained, symptoms=[])
        explanations.append(made)
        for pair, claim in candidate.claims.items():
            if claim > 0:
                left[pair] -= min(claim, left[pair])
                owner.setdefault(pair, made)
    explanations = _fold_consequences(explanations, context)
    asides = [c for c in candidates if c.aside]
    for e in explanations:
        e.hints = [c for c in asides if _hints_at(c, e.candidate)]
    return sorted(explanations, key=lambda e: _rank(e, context, significant=significant))


def _turn(candidate: Candidate) -> tuple[int, int, int, str, str]:
    preference = PREFERENCE[candidate.finding]
    return (candidate.tier, -candidate.claimed_ns, preference, candidate.service, candidate.operation)


def _hints_at(aside: Candidate, cause: Candidate) -> bool:
    """Tell whether what differs may have to do with a cause: it concerns the same calls, or all of their service."""
    return aside.pair is cause.pair or (aside.kind is CauseKind.VERSION_CHANGE and aside.service == cause.service)


def _stands(candidate: Candidate) -> bool:
    return candidate.certain and candidate.kind in (CauseKind.ERROR, CauseKind.REMOVED_CALLS)


def _fold_consequences(explanations: list[Explanation], context: Context) -> list[Explanation]:
    """Calls that are gone after a new failure are its consequence; an error inside a retry is part of it."""
    failures = [e for e in explanations if e.candidate.tier is Tier.FAILURE]
    if not failures:
        return explanations
    kept = []
    retried = {id(e.candidate.pair): e for e in failures if e.candidate.kind is CauseKind.RETRY}
    for e in explanations:
        candidate = e.candidate
        if candidate.kind is CauseKind.REMOVED_CALLS and not context.mirrored:
            failures[0].symptoms.append(candidate)
        elif candidate.kind is CauseKind.ERROR and _inside(candidate, retried):
            retried[_inside(candidate, retried)].symptoms.append(candidate)
        else:
            kept.append(e)
    return kept


def _inside(candidate: Candidate, retried: dict[int, Explanation]) -> int:
    """Return the id of the retried pair that the candidate's pair is in or below, or 0."""
    pair: Pair | None = candidate.pair
    while pair is not None and id(pair) not in retried:
        pair = pair.parent
    return id(pair) if pair is not None else 0


def _rank(e: Explanation, context: Context, *, significant: bool) -> tuple[int, int, int, str, str]:
    candidate = e.candidate
    failing = candidate.tier is Tier.FAILURE and candidate.kind is CauseKind.ERROR
    matters = e.weight_ns >= context.options.cause_share * max(1, abs(context.attribution.delta_ns))
    if failing:
        group = 0
    elif significant:
        group = 1 if matters else 2
    elif candidate.tier is Tier.CONTEXT:
        group = 3
    else:
        off_path = candidate.off_path_ns > abs(context.attribution.delta_ns)
        group = 1 if candidate.certain or off_path else 2
    return (group, -e.weight_ns, candidate.tier, candidate.service, candidate.operation)
