"""Change: whether one number of the requests is another in the suspect's window, how large it is, whom it strikes.

Up to three questions are asked of every number, and chance may answer any:

    A    . .. ...  . .                            A    . .. ...  . .
    B            . .. ...  . .                    B    . .. ...  .           x  x
         +-------------------------> ns                +----------------|-----------> ns
         all: the ranks moved                          some: the largest values are B's, the others are as before

    A    :     . .. ...
    B    :        . .. ...                        : requests that need not wait for the group (another took longer)
         0--------------------> ns
         present: asked of the others alone, as two-part tests do (Lachenbruch, "Analysis of Data with Clumping at
         Zero", Biometrische Zeitschrift 18, 1976): the clump at zero would drown what happens to them

For errors it is one: whether more requests have any. A change must also be large enough to matter.
"""

from __future__ import annotations

from bisect import bisect_right
from math import log2
from statistics import fmean
from typing import TYPE_CHECKING

from msgspec import Struct

from analysis.fleet.many import adjusted
from analysis.fleet.ranks import rank_test, shift
from analysis.fleet.result import Affected, Change, Measure
from analysis.fleet.tables import fisher, quantile_test
from analysis.population.spread import percentile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.options import CompareOptions


class Series(Struct, frozen=True):
    """One number of every request of both windows, in the order of the requests."""

    measure: Measure
    baseline: tuple[int, ...]
    suspect: tuple[int, ...]


class Tested(Struct, frozen=True):
    """A series and how probable the answers to the questions about it are by chance."""

    series: Series
    by: dict[Affected, float]  # corrected for their number

    @property
    def p(self) -> float:
        """How probable the least probable answer is by chance."""
        return min(self.by.values())

    def times(self, questions: int) -> Tested:
        """Return it as if so many had been asked."""
        return Tested(self.series, {who: min(1.0, p * questions) for who, p in self.by.items()})


def ask(series: Series, options: CompareOptions) -> Tested | None:
    """Ask whether a number changed; None when it is the same for all requests."""
    a, b = sorted(series.baseline), sorted(series.suspect)
    if a[0] == a[-1] == b[0] == b[-1]:
        return None
    if series.measure is Measure.ERRORS:
        k, r = sum(map(bool, b)), sum(map(bool, a)) + sum(map(bool, b))
        return Tested(series, {Affected.SOME: fisher(k, r, len(b), len(a) + len(b))})
    by = {Affected.ALL: rank_test(a, b)}
    if (tail := quantile_test(a, b, options.fleet_tails, options.fleet_tail_traces)) is not None:
        by[Affected.SOME] = tail.p
    present = _present(a), _present(b)
    zeros = 1 - (len(present[0]) + len(present[1])) / (len(a) + len(b))
    if series.measure is Measure.EXPOSED and options.fleet_clump <= zeros and all(present):
        by[Affected.PRESENT] = rank_test(*present)
    return Tested(series, by).times(len(by))


def _present(ordered: Sequence[int]) -> Sequence[int]:
    return ordered[bisect_right(ordered, 0) :]


def changes(asked: Sequence[Tested], response_ns: float, options: CompareOptions) -> list[Change | None]:
    """Tell of each series whether it changed: more than chance makes, given their number, and enough to matter.

    `response_ns`: the response time that the changes are part of.
    """
    chances = adjusted([tested.p for tested in asked])
    kept = sum(p <= options.fleet_chance for p in chances)
    limit = options.fleet_chance * kept / max(1, len(asked))  # of Benjamini and Hochberg, for one probability
    return [
        _change(tested, p, limit, response_ns, options) if p <= options.fleet_chance else None
        for tested, p in zip(asked, chances, strict=True)
    ]


def _change(tested: Tested, p: float, limit: float, response_ns: float, options: CompareOptions) -> Change | None:
    """Describe a series whose chances are small; None when it does not matter. `limit`: of a single probability."""
    told = [who for who, chance in tested.by.items() if chance <= limit]
    waiting = tested.by.get(Affected.PRESENT, 1.0) < tested.by.get(Affected.ALL, 1.0)  # they say it more clearly
    order = (Affected.PRESENT, Affected.ALL, Affected.SOME) if waiting else tuple(Affected)
    for who in sorted(told, key=order.index):
        change = _described(tested.series, who, p)
        partly = who is Affected.ALL and abs(change.shift.value) < options.fleet_some * abs(change.mean_delta)
        if _matters(change, tested.series, response_ns, options) and not (partly and len(told) > 1):
            return change
    return None


def _described(series: Series, who: Affected, p: float) -> Change:
    a, b = sorted(series.baseline), sorted(series.suspect)
    before, after = fmean(a), fmean(b)
    one, two = (_present(a), _present(b)) if who is Affected.PRESENT else (a, b)
    cut = 0 if series.measure is Measure.ERRORS else split(one, two, highest=who is Affected.SOME)
    above = tuple([value for value in side if value > cut] for side in (a, b))
    return Change(
        measure=series.measure,
        affected=who,
        baseline_median=round(percentile(one, 50)),
        suspect_median=round(percentile(two, 50)),
        baseline_mean=round(before, 4),
        suspect_mean=round(after, 4),
        mean_delta=round(after - before, 4),
        shift=shift(one, two),
        limit=cut,
        baseline_present=round(len(_present(a)) / len(a), 4),
        suspect_present=round(len(_present(b)) / len(b), 4),
        baseline_above=round(len(above[0]) / len(a), 4),
        suspect_above=round(len(above[1]) / len(b), 4),
        baseline_above_median=round(percentile(above[0], 50)) if above[0] else 0,
        suspect_above_median=round(percentile(above[1], 50)) if above[1] else 0,
        p=float(f"{p:.6g}"),  # summed up in another order, mirrored windows differ in the last digit
    )


def _matters(change: Change, series: Series, response_ns: float, options: CompareOptions) -> bool:
    shares = abs(change.suspect_above - change.baseline_above)
    if change.measure is Measure.ERRORS:
        return shares >= options.fleet_effect_errors
    if change.measure is Measure.CALLS:
        means = min(change.baseline_mean, change.suspect_mean)
        return abs(change.mean_delta) >= options.fleet_effect_calls * max(1.0, means)
    middle = min(change.baseline_median, change.suspect_median)
    enough = effect_ns(middle, response_ns, options)
    if change.affected is Affected.SOME:
        far = max(change.limit - middle, _excess(series, change.limit))
        return shares > 0 and far >= enough
    same_way = change.mean_delta * change.shift.value > 0
    on_all = effect_ns(0, response_ns, options)
    return abs(change.shift.value) >= enough and (
        change.affected is Affected.ALL or (same_way and abs(change.mean_delta) >= on_all)
    )


def _excess(series: Series, limit: int) -> float:
    """Return how far the values above a limit, of the side with more of them, are above as large a part of the other.

    A    .....|..                       the limit itself may lie close to the usual, where nothing is between
    B    ... .|  .               ....   it and the first value that is far
    """
    above = tuple(sorted(value for value in side if value > limit) for side in (series.baseline, series.suspect))
    shares = len(above[0]) / len(series.baseline), len(above[1]) / len(series.suspect)
    more = shares.index(max(shares))
    other = sorted((series.suspect, series.baseline)[more])
    as_many = other[-max(1, round(max(shares) * len(other))) :]
    return percentile(above[more], 50) - percentile(as_many, 50) if above[more] else 0.0


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
