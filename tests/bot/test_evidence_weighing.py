"""What evidence does to the confidence of a verdict: one step at most, only one way, never the verdict itself."""

from __future__ import annotations

import msgspec
import pytest
from comparisons import SLOWER

from analysis.comparison import Confidence, VerdictKind
from bot.evidence.facts import ChangeFact, Evidence, LogFact, MetricFact
from bot.evidence.sparkline import sparkline
from bot.evidence.weighing import weigh, weighed
from bot.finding.trend import Kind, Trend

A, B = 1_795_000_000, 1_795_003_600
TOP = SLOWER.causes[0]


def compared(confidence: Confidence, kind: VerdictKind = VerdictKind.SLOWER):
    """Return a comparison of requests an hour apart."""
    sides = {
        side: msgspec.structs.replace(getattr(SLOWER, side), started_at_ns=at * 10**9)
        for side, at in (("baseline", A), ("suspect", B))
    }
    verdict = msgspec.structs.replace(SLOWER.verdict, confidence=confidence, kind=kind)
    return msgspec.structs.replace(SLOWER, verdict=verdict, **sides)


def trend(kind: Kind, since: int | None = None, rank: int = 1) -> MetricFact:
    """Return how the requests of a cause's operation went."""
    its = Trend(kind=kind, points=((A - 3600, 1.0),), failing=False, since=since, before=1.0, after=2.0)
    return MetricFact(source="prom", rank=rank, service=TOP.service, operation=TOP.operation, trend=its)


def log(level: str = "error", service: str = TOP.service) -> LogFact:
    """Return what is new in a log."""
    return LogFact(
        source="loki", service=service, level=level, sample="boom", baseline=0, suspect=9, own=True, seconds=9
    )


CHANGE = ChangeFact(source="prom", service=TOP.service, what="version", at=A + 60, before="1", after="2")
RISE, USUAL = trend(Kind.CONSISTENT, A + 60), trend(Kind.USUAL)


@pytest.mark.parametrize(
    ("evidence", "before", "after"),
    [
        (Evidence(metrics=(RISE,)), "medium", "high"),
        (Evidence(metrics=(RISE,)), "low", "medium"),
        (Evidence(metrics=(RISE,)), "high", "high"),
        (Evidence(metrics=(trend(Kind.INTERMITTENT, B),)), "medium", "high"),
        (Evidence(metrics=(USUAL,)), "high", "medium"),
        (Evidence(metrics=(USUAL,)), "low", "low"),
        (Evidence(logs=(log(),)), "medium", "high"),
        (Evidence(changes=(CHANGE,)), "medium", "high"),
        (Evidence(metrics=(RISE,), logs=(log(),), changes=(CHANGE,)), "low", "medium"),
        (Evidence(metrics=(USUAL,), logs=(log(),)), "medium", "medium"),
    ],
)
def test_evidence_moves_the_confidence_by_one_step_at_most(evidence, before, after) -> None:
    """Up where all of it supports the verdict, down where all speaks against it, not at all where it disagrees."""
    comparison = compared(Confidence(before))
    weight = weigh(comparison, evidence)
    assert (weight.before, weight.after) == (before, after)
    assert weight.reasons
    made = weighed(comparison, weight)
    assert made.verdict.confidence == after
    assert (made.verdict.kind, made.verdict.headline, made.causes) == (
        comparison.verdict.kind, comparison.verdict.headline, comparison.causes,
    )  # fmt: skip
    assert (made.verdict.reasons[0] == weight.reasons[0]) == weight.changed


@pytest.mark.parametrize(
    "evidence",
    [
        Evidence(), Evidence(metrics=(trend(Kind.RARE),)), Evidence(metrics=(trend(Kind.CONSISTENT, A - 60),)),
        Evidence(metrics=(trend(Kind.CONSISTENT, B + 60),)), Evidence(metrics=(trend(Kind.CONSISTENT, A + 60, rank=2),)),
        Evidence(logs=(log("warning"),)), Evidence(logs=(log(service="elsewhere"),)),
        Evidence(changes=(msgspec.structs.replace(CHANGE, service="elsewhere"),)),
    ],
)  # fmt: skip
def test_what_says_nothing_about_the_first_cause_weighs_nothing(evidence) -> None:
    """A rise before A or after B, other causes, other services, warnings, rare slow requests, silence."""
    assert weigh(compared(Confidence.MEDIUM), evidence) is None


@pytest.mark.parametrize(
    "kind",
    [VerdictKind.NOT_COMPARABLE, VerdictKind.IDENTICAL, VerdictKind.NO_MEANINGFUL_DIFFERENCE, VerdictKind.FASTER],
)
def test_verdicts_that_evidence_is_not_about_are_left_alone(kind) -> None:
    """Whatever logs and metrics say, what could not be compared stays so, as sure as it was."""
    comparison = compared(Confidence.MEDIUM, kind)
    assert weigh(comparison, Evidence(metrics=(RISE,), logs=(log(),))) is None
    assert weighed(comparison, None) is comparison


@pytest.mark.parametrize(
    ("points", "drawn"),
    [
        ([], ""), ([(0, 5.0)], "█"), ([(0, 0.0), (1, 0.0)], "▁▁"), ([(0, 1.0), (1, 2.0), (2, 4.0)], "▃▅█"),
        ([(0, 1.0), (2, 1.0)], "█ █"),
    ],
)  # fmt: skip
def test_a_line_of_blocks(points, drawn) -> None:
    """The scale begins at zero; a time without requests is blank; many points become the highest of each column."""
    assert sparkline(points, columns=max(1, len(drawn))) == drawn
    assert len(sparkline([(i, float(i)) for i in range(1_000)])) == 24
