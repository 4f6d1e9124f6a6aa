"""What of the evidence the picture shows: how the requests of the first cause's operation went. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.picture import Course

if TYPE_CHECKING:
    from bot.evidence.facts import Evidence

POINTS = 500  # more than the picture has dots for


def course_of(evidence: Evidence) -> Course | None:
    """Return what to draw; None where nobody measured it."""
    fact = next((fact for fact in evidence.metrics if fact.rank == 1 and len(fact.trend.points) > 1), None)
    if fact is None:
        return None
    what = "share that failed" if fact.trend.failing else "p95"
    return Course(
        title=f"{fact.source}: {what} of {fact.operation} in {fact.service}", points=fact.trend.points[-POINTS:],
        shares=fact.trend.failing, since=fact.trend.since,
    )  # fmt: skip
