"""Change: whether one number of the requests is another in the suspect's window, how large it is, whom it strikes.

Two questions are asked of every number, and chance may answer either:

    A    . .. ...  . .                            A    . .. ...  . .
    B            . .. ...  . .                    B    . .. ...  .           x  x
         +-------------------------> ns                +----------------|-----------> ns
         all: the ranks moved                          some: the largest values are B's, the others are as before

For errors it is one: whether more requests have any. A change must also be large enough to matter.
"""

from __future__ import annotations

from math import log2
from statistics import fmean
from typing import TYPE_CHECKING

from msgspec import Struct

from analysis.fleet.many import adjusted
from analysis.fleet.ranks import rank_test, shift
from analysis.fleet.result import Affected, Change, Measure
from analysis.fleet.tables import fisher, quantile_test
from analysis.population.spread import Spread, percentile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.options import CompareOptions

QUESTIONS = 2  # about the ranks and about the largest values


class Series(Struct, frozen=True):
    """One number of every request of both windows, in the order of the requests."""

    measure: Measure
    baseline: tuple[int, ...]
    suspect: tuple[int, ...]


class Tested(Struct, frozen=True):
    """A series and how probable its ranks and its largest values are by chance."""

    series: Series
    ranks: float
    tail: float

    @property
    def p(self) -> float:
        """How probable the less probable of both is by chance."""
        return min(1.0, QUESTIONS * self.ranks, QUESTIONS * self.tail)


def ask(series: Series, options: CompareOptions) -> Tested | None:
    """Ask whether a number changed; None when it is the same for all requests."""
    a, b = sorted(series.baseline), sorted(series.suspect)
    if a[0] == a[-1] == b[0] == b[-1]:
        return None
    if series.measure is Measure.ERRORS:
        k, r = sum(map(bool, b)), sum(map(bool, a)) + sum(map(bool, b))
        p = fisher(k, r, len(b), len(a) + len(b)) / QUESTIONS  # a single question: nothing to correct for
        return Tested(series, p, 1.0)
    tail = quantile_test(a, b, options.fleet_tails, options.fleet_tail_traces)
    return Tested(series, rank_test(a, b), tail.p if tail is not None else 1.0)


def changes(asked: Sequence[Tested], response_ns: float, options: CompareOptions) -> list[Change | None]:
    """Tell of each series whether it changed: more than chance makes, given their number, and enough to matter.

    `response_ns`: the response time that the changes are part of.
    """
    chances = adjusted([tested.p for tested in asked])
    kept = [tested.p for tested, p in zip(asked, chances, strict=True) if p <= options.fleet_chance]
    limit = max(kept, default=0.0)
    return [
        _change(tested, p, limit, response_ns, options) if p <= options.fleet_chance else None
        for tested, p in zip(asked, chances, strict=True)
    ]


def _change(tested: Tested, p: float, limit: float, response_ns: float, options: CompareOptions) -> Change | None:
    """Describe a series whose chances are small; None when it does not matter. `limit`: of a single probability."""
    series = tested.series
    a, b = sorted(series.baseline), sorted(series.suspect)
    before, after = fmean(a), fmean(b)
    delta = after - before
    moved = shift(a, b)
    middles = percentile(a, 50), percentile(b, 50)
    tail = tested.tail * QUESTIONS <= limit
    some = tail and (tested.ranks * QUESTIONS > limit or abs(moved.value) < options.fleet_some * abs(delta))
    if series.measure is Measure.ERRORS:
        cut, some = 0, True
    else:
        cut = split(a, b, highest=some)
    above = tuple([value for value in side if value > cut] for side in (a, b))
    shares = len(above[0]) / len(a), len(above[1]) / len(b)
    change = Change(
        measure=series.measure,
        affected=Affected.SOME if some else Affected.ALL,
        baseline_median=round(middles[0]),
        suspect_median=round(middles[1]),
        baseline_mean=round(before, 4),
        suspect_mean=round(after, 4),
        mean_delta=round(delta, 4),
        shift=moved,
        limit=cut,
        baseline_above=round(shares[0], 4),
        suspect_above=round(shares[1], 4),
        baseline_above_median=Spread.of(above[0]).at(50) if above[0] else 0,
        suspect_above_median=Spread.of(above[1]).at(50) if above[1] else 0,
        p=p,
    )
    return change if _matters(change, response_ns, options) else None


def _matters(change: Change, response_ns: float, options: CompareOptions) -> bool:
    shares = abs(change.suspect_above - change.baseline_above)
    if change.measure is Measure.ERRORS:
        return shares >= options.fleet_effect_errors
    if change.measure is Measure.CALLS:
        means = min(change.baseline_mean, change.suspect_mean)
        return abs(change.mean_delta) >= options.fleet_effect_calls * max(1.0, means)
    middle = min(change.baseline_median, change.suspect_median)
    enough = effect_ns(middle, response_ns, options)
    if change.affected is Affected.ALL:
        return abs(change.shift.value) >= enough
    return shares > 0 and change.limit - middle >= enough


def effect_ns(own_ns: float, response_ns: float, options: CompareOptions) -> float:
    """Return the smallest change (ns) worth telling of something that takes `own_ns` of a response."""
    return max(options.fleet_effect_ns, options.fleet_effect_ratio * own_ns, options.fleet_effect_share * response_ns)


def split(a: Sequence[int], b: Sequence[int], *, highest: bool) -> int:
    """Return the limit that tells two ascending samples apart best: being above it says most about the window.

    `highest`: only limits with less than half of all values above them.
    """
    ordered = sorted([(value, 0) for value in a] + [(value, 1) for value in b])
    total, whole = len(ordered), _entropy(len(a), len(b))
    best, limit = -1.0, ordered[0][0]
    below = [0, 0]
    for i, (value, side) in enumerate(ordered[:-1]):
        below[side] += 1
        if value == ordered[i + 1][0] or (highest and 2 * (i + 1) <= total):
            continue
        rest = (len(a) - below[0], len(b) - below[1])
        known = whole - ((i + 1) * _entropy(*below) + (total - i - 1) * _entropy(*rest)) / total
        if known > best + 1e-12:
            best, limit = known, value
    return limit


def _entropy(*counts: int) -> float:
    total = sum(counts)
    return -sum(n / total * log2(n / total) for n in counts if n)
