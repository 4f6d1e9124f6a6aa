"""What logs and metrics say, in words: for a message in Slack, and for programs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.format import duration, shorten
from bot.finding.trend import percent
from bot.requests.wording import moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.evidence.facts import Evidence, MetricFact, Silence
    from bot.evidence.weighing import Weight

SAMPLE = 240  # characters of a line of a log
NOTHING = "nothing about the named causes"
SILENT = {
    "timeout": "did not answer in time",
    "unreachable": "cannot be reached",
    "unauthorised": "refuses my credentials",
    "no-tenant": "wants a tenant",
    "wrong-path": "does not know what I ask for",
    "rate-limited": "asks me to slow down",
    "too-large": "answered with more than I read",
    "redirected": "sends me on to another host",
}
BROKEN = "gave no answer that I can use"


def lines(its: Evidence, weight: Weight | None, today: int) -> list[str]:
    """Say everything, a line each; `today` (unix seconds): whose date goes without saying."""
    said = [
        f"{fact.operation} in {fact.service}: {metric_words(fact, today)} ({span_words(fact, today)})"
        for fact in its.metrics
    ]
    said += [f"{log.lead}: {shorten(log.sample, SAMPLE)} ({log.words()})" for log in its.logs]
    said += [change.words(today) for change in its.changes]
    said += nothing_new(its)
    said += [] if its.found else [NOTHING]
    said += [confidence_line(weight)] if weight is not None else []
    return said + silence(its.silent)


def confidence_line(weight: Weight) -> str:
    """Say what evidence does to the confidence, and why."""
    why = "; ".join(weight.reasons[:3])
    if weight.changed:
        return f"Confidence: {weight.after.value}, was {weight.before.value}: {why}"
    return f"Confidence stays {weight.after.value}: {why}"


def silence(silent: Sequence[Silence]) -> list[str]:
    """Say which sources said nothing, and why."""
    return [f"{its.source} {SILENT.get(its.code, BROKEN)}" for its in silent]


def nothing_new(its: Evidence) -> list[str]:
    """Say of which logs nothing is new: the absence of errors is an answer too."""
    new = {fact.source for fact in its.logs}
    return [
        f"No new errors or warnings in {look.source} ({look.suspect:,} around B, {look.baseline:,} around A)"
        for look in its.looks
        if look.source not in new
    ]


def metric_words(fact: MetricFact, today: int) -> str:
    """Say how the requests of one operation went."""
    counted = fact.counted()
    return f"{fact.trend.words(today)}{f'. {counted}' if counted else ''}"


def span_words(fact: MetricFact, today: int) -> str:
    """Say in words what a line of blocks shows."""
    points = fact.trend.points
    values = [value for _, value in points]
    times = f"{moment(points[0][0], today)} to {moment(points[-1][0], today)}"
    if fact.trend.failing:
        return f"share that failed, {times}: {percent(min(values))} to {percent(max(values))}"
    return f"p95, {times}: {duration(round(min(values)))} to {duration(round(max(values)))}"
