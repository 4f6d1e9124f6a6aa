"""The verdict: one word, one sentence, and how sure we are.

Two traces are one sample each. A difference counts when it is beyond what healthy requests show (with a
population: beyond its spread), or when it is of a kind that no jitter produces: an error, a call that was not
made before. Confidence is lowered by everything that could make the answer wrong, and each is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from analysis.causes import explained_beside
from analysis.comparison import CauseKind, Confidence, Verdict, VerdictKind
from analysis.findings import error_gone
from analysis.findings.base import Tier
from analysis.findings.missing_spans import unseen
from analysis.findings.retries import recovered
from analysis.format import duration, ratio, share
from analysis.notes import Severity

if TYPE_CHECKING:
    from analysis.explanation import Explanation
    from analysis.findings.base import Candidate, Context
    from analysis.notes import Note
    from analysis.population import Recent


class Change(Struct, frozen=True, kw_only=True):
    """How the response times relate: the direction (+1 slower, -1 faster, 0) and whether it is beyond doubt.

    `odd`: some recent requests take as long as the slower one, but the bulk of them does not.
    """

    direction: int
    significant: bool
    modest: bool
    odd: bool = False

    @property
    def apart(self) -> bool:
        """Tell whether the times differ enough for nanoseconds to decide what is the cause."""
        return self.significant or self.odd


def measure(baseline_ns: int, suspect_ns: int, context: Context) -> Change:
    """Judge two response times by themselves."""
    options = context.options
    delta = suspect_ns - baseline_ns
    low, high = sorted((max(1, baseline_ns), max(1, suspect_ns)))
    direction = (delta > 0) - (delta < 0)
    if context.norms is not None:
        unusual = not context.norms.usual_response(high)
        significant, odd = unusual and high >= options.hint_ratio * low, context.norms.odd
        return Change(direction=direction, significant=significant, modest=unusual or odd, odd=odd)
    significant = high >= options.slower_ratio * low and abs(delta) >= options.slower_floor_ns
    modest = high >= options.hint_ratio * low and abs(delta) >= options.hint_floor_ns
    return Change(direction=direction, significant=significant, modest=modest)


def judge(change: Change, explanations: list[Explanation], context: Context, notes: list[Note]) -> Verdict:
    """Weigh the causes and say what the comparison comes to."""
    a, b = context.baseline.tree.response_ns, context.suspect.tree.response_ns
    top = explanations[0] if explanations else None
    kind = _kind(change, explanations, context)
    confidence, reasons = _confidence(kind, change, explanations, context, notes)
    headline = _headline(kind, a, b, top, context)
    return Verdict(kind=kind, confidence=confidence, headline=headline, reasons=tuple(reasons))


def _kind(change: Change, explanations: list[Explanation], context: Context) -> VerdictKind:
    if any(_fails(e.candidate, context) for e in explanations):
        slower = change.significant and change.direction > 0 and explained_beside(explanations, context)
        return VerdictKind.SLOWER if slower else VerdictKind.FAILING
    if change.significant:
        return VerdictKind.SLOWER if change.direction > 0 else VerdictKind.FASTER
    certain = [e for e in explanations if e.candidate.certain or e.candidate.off_path_ns]
    delta = abs(context.attribution.delta_ns)
    if change.modest and explanations and explanations[0].candidate.off_path_ns <= delta:
        explained = max(e.explained_ns for e in explanations)
        if explained >= context.options.concentrated_share * delta:
            return VerdictKind.SLOWER if change.direction > 0 else VerdictKind.FASTER
    if certain:
        return VerdictKind.CHANGED
    return VerdictKind.NO_MEANINGFUL_DIFFERENCE


def worsens(cause: Candidate, context: Context) -> bool:
    """Tell whether something fails in the suspect that did not: then being quicker is no improvement."""
    if cause.kind is CauseKind.RETRY:
        return not recovered(cause.pair, context)
    return cause.kind is CauseKind.ERROR and cause.finding != error_gone.CODE


def _fails(cause: Candidate, context: Context) -> bool:
    """Tell whether a failure of the suspect worsens something; where the sides are exchanged it does not."""
    return cause.tier is Tier.FAILURE and not context.mirrored and worsens(cause, context)


def _headline(kind: VerdictKind, a: int, b: int, top: Explanation | None, context: Context) -> str:
    root = context.suspect.tree.spans[context.suspect.tree.root]
    name = f"{root.service} {root.name}"
    times = f"{duration(a)} -> {duration(b)}"
    cause = f": {top.candidate.summary}" if top is not None else ""
    if kind is VerdictKind.SLOWER:
        return f"{name} is {duration(b - a)} slower ({times}, {ratio(a, b)}){cause}"
    if kind is VerdictKind.FASTER:
        return f"{name} is {duration(a - b)} faster ({times}){cause}"
    if kind is VerdictKind.FAILING:
        return f"{_outcome(name, context)} ({times}){cause}"
    if kind is VerdictKind.CHANGED:
        return f"{name} takes about the same time ({times}) but works differently{cause}"
    both = ", and fails in both" if context.baseline.failed and context.suspect.failed else ""
    return f"no meaningful difference: {name} takes {times}{both}"


def _outcome(name: str, context: Context) -> str:
    """Say how far a new failure went."""
    if context.answers:
        return f"{name} succeeds, but a part of it fails where it did not before"
    if context.baseline.failed:
        return f"{name} fails in both, in B in another way"
    return f"{name} fails where it did not before"


def _confidence(
    kind: VerdictKind, change: Change, explanations: list[Explanation], context: Context, notes: list[Note]
) -> tuple[Confidence, list[str]]:
    """Start from the evidence and lower it for every weakness; each step gives its reason."""
    options = context.options
    reasons: list[str] = []
    delta = abs(context.attribution.delta_ns)
    score = 2
    if kind in (VerdictKind.SLOWER, VerdictKind.FASTER, VerdictKind.FAILING):
        if not explanations:
            return Confidence.LOW, ["no single change explains the difference"]
        top = explanations[0]
        explained = sum(e.explained_ns for e in explanations[: options.max_causes])
        if kind is VerdictKind.FAILING:
            reasons.append("a call that fails where it did not before is no matter of chance")
        else:
            reasons.append(f"the named causes explain {share(min(explained, delta), delta)} of the difference")
            if explained < options.concentrated_share * delta:
                score -= 1
        if not change.significant and kind is not VerdictKind.FAILING:
            if context.norms is not None and change.odd:
                number = context.norms.as_slow(max(context.baseline.tree.response_ns, context.suspect.tree.response_ns))
                score -= 1
                reasons.append(
                    f"{number} of {context.norms.size} other requests take as long: the trouble comes and goes"
                )
            else:
                score -= 1 if top.candidate.certain else 2
                reasons.append("the difference is small: two healthy requests can differ as much")
        if change.significant and kind is not VerdictKind.FAILING and _hardly_slower(context):
            score -= 1
            reasons.append("it takes little longer than the slowest of the recent requests")
        rivals = [e for e in explanations[1:] if e.explained_ns > options.rival_share * max(1, top.explained_ns)]
        if rivals and kind is not VerdictKind.FAILING:
            score -= 1
            reasons.append("several changes are about equally large")
        dark = next((end.key.service for end in top.candidate.pair.children if unseen(end)), "")
        if dark and kind is not VerdictKind.FAILING:
            score -= 1
            reasons.append(f"{dark} sent no spans of the call on one side: how long it took itself is unknown there")
    elif kind is VerdictKind.CHANGED:
        weight = explanations[0].weight_ns if explanations else 0
        score -= 1 if weight > options.slower_floor_ns else 2
        reasons.append(
            "the response time is about the same; recent requests hardly ever show the change"
            if context.recent is not None and context.norms is not None
            else "the response time is about the same; two traces cannot tell whether the change is usual"
        )
    else:
        reasons.append(
            "the difference is within what healthy requests show"
            if context.norms is not None
            else "two traces are one sample each; compare with the typical request to be sure"
        )
        if context.norms is not None and _stretched(explanations, context):
            reasons.append("though one part of it takes longer than is usual for it")
        score -= 0 if context.norms is not None and not _stretched(explanations, context) else 1
    if kind in (VerdictKind.SLOWER, VerdictKind.CHANGED) and context.baseline.failed:
        score -= 1
        reasons.append("A itself failed: it is no example of a healthy request")
    if context.norms is not None:
        reasons.append(f"judged against {context.norms.size} recent traces")
    if context.recent is not None and (odd := _odd_baseline(context.recent, context)):
        reasons.append(odd)
        # That A was slow is what `faster` says, and an error is one whatever the time of the other side.
        score -= kind not in (VerdictKind.FASTER, VerdictKind.FAILING)
    serious = [note for note in notes if note.severity is Severity.SERIOUS]
    reasons.extend(note.text for note in serious)
    if serious:
        score -= 1
    return (Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH)[max(0, min(2, score))], reasons


def _hardly_slower(context: Context) -> bool:
    slower = max(context.baseline.tree.response_ns, context.suspect.tree.response_ns)
    return context.norms is not None and not context.norms.far_beyond(slower)


def _stretched(explanations: list[Explanation], context: Context) -> bool:
    """Tell whether one unusual part makes up most of a large difference that as a whole is usual."""
    options = context.options
    low, high = sorted((context.baseline.tree.response_ns, context.suspect.tree.response_ns))
    large = high >= max(options.slower_ratio * low, low + options.slower_floor_ns)
    return large and any(e.explained_ns >= options.concentrated_share * (high - low) for e in explanations[:1])


def _odd_baseline(recent: Recent, context: Context) -> str:
    """Say that the baseline is no example of a usual request; "" when it is one, or nothing says what is usual."""
    a, usual = context.baseline.tree.response_ns, recent.response
    if recent.typical(a) or not recent.usual:
        return ""
    word, rank = ("slower", usual.rank(a)) if a > usual.middle else ("faster", 100 - usual.rank(a))
    than = "all" if rank == 100 else f"{int(rank)} %"
    return f"A is itself unusual, {word} than {than} of {len(recent.usual)} requests"
