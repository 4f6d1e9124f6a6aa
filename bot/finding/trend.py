"""Consistent or intermittent, and since when: what all requests of an operation say about one of them. Pure.

p95   .   . .                .  .   . .  .        the two levels before and after the split that leaves
      - - - - - - | - - - - - - - - - - - -       the least unexplained; a split is believed when the
        . .   . . .                               levels are further apart than buckets and chance are
                  since
"""

from __future__ import annotations

import math
from enum import StrEnum
from statistics import fmean, median
from typing import TYPE_CHECKING

from msgspec import Struct

from analysis.format import duration
from bot.requests.wording import moment
from bot.sources.metrics import LOOKBACK_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.sources.metrics import Failures, Latency

LATER_S = 600  # after the request: enough to see that the trouble goes on
MIN_STEPS = 6  # steps with requests: fewer show no level
MIN_SIDE = 2  # steps on either side of a split: one alone is an outlier
BUCKETED_RATIO = 2.1  # power-of-two buckets turn a small change into a factor of 2
EXACT_RATIO = 1.5  # as the engine: less is normal variation
APART = 0.8  # how often a step after is above one before: levels that overlap more are chance
MORE_FAILURES = 0.02  # a share of failures that grew by less than this is the same
CONSISTENT = 0.5  # share of requests


class Kind(StrEnum):
    """How what happened to one request stands among the others."""

    CONSISTENT = "consistent"  # most requests, since a certain time
    INTERMITTENT = "intermittent"  # some of them, more than before, since a certain time
    RARE = "rare"  # few of them, no more than before
    USUAL = "usual"  # many of them, no more than before


class Trend(Struct, frozen=True, kw_only=True):
    """How an operation's requests went over some hours. Times are unix seconds; quantiles are "about" that long."""

    kind: Kind
    points: tuple[tuple[int, float], ...]  # (step, p95 in ns), or (step, share that failed)
    failing: bool  # the points are shares that failed
    since: int | None = None  # the step in which it began; None: not within the points
    before: float  # level before `since`, or throughout
    after: float  # level since, or throughout
    share: float | None = None  # of the requests (since): above the level before, or as slow as the request; if known

    def words(self, today: int) -> str:
        """Say it in one sentence; `today` (unix seconds) is the day that is not named."""
        start = moment(self.points[0][0], today)
        if self.failing:
            if self.since is None:
                return f"{percent(self.after)} of requests fail, no more than at {start}"
            name = "Consistent" if self.kind is Kind.CONSISTENT else "Intermittent"
            return (
                f"{name} since about {moment(self.since, today)}: {percent(self.after)} of requests fail, "
                f"{percent(self.before)} before"
            )
        level = f"p95 about {duration(round(self.before))}"
        if self.since is not None:
            name = "Consistent" if self.kind is Kind.CONSISTENT else "Intermittent"
            known = f"about {percent(self.share)}" if self.share is not None else None
            part = known or ("more than half" if self.kind is Kind.CONSISTENT else "less than half")
            return (
                f"{name} since about {moment(self.since, today)}: {level} before, about {duration(round(self.after))} "
                f"since; {part} of requests now take longer than the old p95"
            )
        if self.kind is Kind.RARE:
            part = f"about {percent(self.share)}" if self.share is not None else "fewer than 5 %"
            return f"Rare: {part} of requests take as long as B; no lasting change since {start} ({level})"
        return f"Usual: requests have taken as long as B since {start} at least ({level})"


def percent(share: float) -> str:
    """Write a share for people; small ones never become 0 %."""
    if 0 < share < 0.01:
        return f"{share * 100:.1g} %"
    return f"{share * 100:.0f} %"


def window(started_at: int, now: int) -> tuple[int, int]:
    """Return the time to look at, for a request that began then; all unix seconds."""
    return started_at - LOOKBACK_S, max(started_at, min(now, started_at + LATER_S))


def of_latencies(steps: Sequence[Latency], took_ns: int, started_at: int) -> Trend | None:
    """Judge a request that took so long and began then (unix seconds); None when there are too few steps to tell."""
    if len(steps) < MIN_STEPS:
        return None
    points = tuple((step.at, float(step.tail_ns)) for step in steps)
    ratio = BUCKETED_RATIO if any(step.buckets for step in steps) else EXACT_RATIO
    at = _split([math.log(max(1.0, value)) for _, value in points], points, started_at)
    before, after = (median(value for _, value in side) for side in (points[: at or None], points[at or 0 :]))
    if at is None or after < before * ratio:
        return _unchanged(steps, points, took_ns)
    share = _above([step for step in steps[at:] if step.buckets], round(before))
    most = share >= CONSISTENT if share is not None else median(s.middle_ns for s in steps[at:]) > before
    return Trend(
        kind=Kind.CONSISTENT if most else Kind.INTERMITTENT, points=points, failing=False, since=points[at][0],
        before=before, after=after, share=share,
    )  # fmt: skip


def _unchanged(steps: Sequence[Latency], points: tuple[tuple[int, float], ...], took_ns: int) -> Trend:
    """Say how usual a request of that duration is where nothing changed for good."""
    level = median(value for _, value in points)
    share = _above([step for step in steps if step.buckets], took_ns // 2)
    rare = share < 1 - 0.95 if share is not None else took_ns > level
    kind = Kind.RARE if rare else Kind.USUAL
    return Trend(kind=kind, points=points, failing=False, before=level, after=level, share=share)


def of_failures(steps: Sequence[Failures], started_at: int) -> Trend | None:
    """Judge a request that failed and began then (unix seconds); None when there are too few steps to tell."""
    if len(steps) < MIN_STEPS:
        return None
    points = tuple((step.at, step.share) for step in steps)
    at = _split([value for _, value in points], points, started_at)
    before, after = (fmean(value for _, value in side) for side in (points[: at or None], points[at or 0 :]))
    if at is None or after < max(2 * before, before + MORE_FAILURES):
        level = fmean(value for _, value in points)
        kind = Kind.USUAL if level >= CONSISTENT else Kind.RARE
        return Trend(kind=kind, points=points, failing=True, before=level, after=level, share=level)
    kind = Kind.CONSISTENT if after >= CONSISTENT else Kind.INTERMITTENT
    return Trend(kind=kind, points=points, failing=True, since=points[at][0], before=before, after=after, share=after)


def _split(values: Sequence[float], points: Sequence[tuple[int, float]], started_at: int) -> int | None:
    """Return where two levels explain the values best (the index of the first of the second).

    None where they overlap, and where the second began after the request did: that has nothing to do with it.
    """
    count, total = len(values), sum(values)
    best, where = 0.0, None
    left = sum(values[: MIN_SIDE - 1])
    for i in range(MIN_SIDE, count - MIN_SIDE + 1):
        left += values[i - 1]
        gain = left * left / i + (total - left) ** 2 / (count - i) - total * total / count
        if gain > best + 1e-12:
            best, where = gain, i
    if where is None or points[where][0] > started_at:
        return None
    pairs = [(before, after) for before in values[:where] for after in values[where:]]
    above = sum((after > before) + (after == before) / 2 for before, after in pairs)
    return where if above >= APART * len(pairs) else None


def _above(steps: Sequence[Latency], level_ns: int) -> float | None:
    """Return the share of requests in buckets wholly above a duration; None without buckets."""
    buckets = [bucket for step in steps for bucket in step.buckets]
    total = sum(bucket.requests for bucket in buckets)
    return sum(bucket.requests for bucket in buckets if bucket.low_ns >= level_ns) / total if total else None
