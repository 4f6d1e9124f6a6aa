"""How evidence changes the confidence of a verdict. Pure.

    supports                                                          speaks against
    requests of the first cause's operation are slower, or fail,      they took as long, or failed as often, long
    since a moment after A and not after B                            before B, A's time included
    the services of the first cause log errors around B, or B its
    own, that they did not around A
    one of them changed (a deployment, a flag) between A and B

Evidence moves the confidence by one step at most, and only where all of it points one way. It never changes what the
verdict is or what it names, and never touches a comparison that could not be made. A source that keeps silent, or finds
nothing, changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from analysis.comparison import Confidence
from bot.evidence.lines import ERROR
from bot.evidence.question import ASKED, NS
from bot.finding.trend import Kind
from bot.requests.wording import moment

if TYPE_CHECKING:
    from analysis import Comparison
    from bot.evidence.facts import Evidence, MetricFact

STEPS = (Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH)


class Weight(Struct, frozen=True, kw_only=True):
    """What evidence does to a confidence: the one before, the one after (maybe the same), and why."""

    before: Confidence
    after: Confidence
    reasons: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Tell whether the confidence is another one now."""
        return self.before is not self.after


def weigh(comparison: Comparison, evidence: Evidence) -> Weight | None:
    """Judge a verdict by evidence; None where none of it says anything about it."""
    if comparison.verdict.kind not in ASKED or not comparison.causes:
        return None
    said = [judged for fact in evidence.metrics if (judged := _metric(fact, comparison))]
    said += _logs(evidence, comparison)
    said += _changes(evidence, comparison)
    before = comparison.verdict.confidence
    directions = {direction for direction, _ in said}
    if not directions:
        return None
    move = directions.pop() if len(directions) == 1 else 0
    after = STEPS[max(0, min(len(STEPS) - 1, STEPS.index(before) + move))]
    return Weight(before=before, after=after, reasons=tuple(reason for _, reason in said))


def weighed(comparison: Comparison, weight: Weight | None) -> Comparison:
    """Return the comparison with its confidence as weighed, the reasons of that first."""
    if weight is None or not weight.changed:
        return comparison
    verdict = comparison.verdict
    return msgspec.structs.replace(
        comparison,
        verdict=msgspec.structs.replace(
            verdict, confidence=weight.after, reasons=(*weight.reasons[:2], *verdict.reasons)
        ),
    )


def _logs(evidence: Evidence, comparison: Comparison) -> list[tuple[int, str]]:
    """Judge by new errors of the first cause's services; warnings, and silence, say too little."""
    top = comparison.causes[0]
    new = [fact for fact in evidence.logs if fact.level == ERROR and fact.service in (top.service, top.peer_service)]
    services = " and ".join(dict.fromkeys(fact.service for fact in new))
    return [(1, f"logs: {services} logs errors around B that it does not around A")] if new else []


def _changes(evidence: Evidence, comparison: Comparison) -> list[tuple[int, str]]:
    """Judge by deployments and the like of the first cause's services between the two requests."""
    top = comparison.causes[0]
    its = [fact for fact in evidence.changes if fact.service in (top.service, top.peer_service)]
    return [(1, f"{its[0].source}: {its[0].service} changed between A and B ({its[0].what})")] if its else []


def _metric(fact: MetricFact, comparison: Comparison) -> tuple[int, str] | None:
    """Judge by the requests of the first cause's operation."""
    if fact.rank != 1:
        return None
    a, b = (side.started_at_ns // NS for side in (comparison.baseline, comparison.suspect))
    trend = fact.trend
    does = "fail" if trend.failing else "are slower"
    if trend.since is not None:
        if not a < trend.since <= b:
            return None
        return 1, f"metrics: requests of {fact.operation} in {fact.service} {does} since about {moment(trend.since, b)}"
    if trend.kind is not Kind.USUAL:
        return None
    start = trend.points[0][0]
    did = "failed as often" if trend.failing else "took as long"
    return -1, f"metrics: requests of {fact.operation} in {fact.service} {did} from {moment(start, b)} at least"
