"""Since when: the moment from which requests are slower, if there is one.

    time    |      .  x x .
            |          x  x x x         all slower since s: consistent
            |. . .. . .
            +---------s----------> start of the request

            |        x    x  x
            |. . .. . .. . .. .         some slower, none of them before s: intermittent since s
            +-------s------------>

            |  x     .  x  . x .
            |. . .. . .. . .. .         some slower all along: intermittent, no moment to name
            +-------------------->

The method is Pettitt's test for one change at an unknown time ("A Non-Parametric Approach to the Change-Point
Problem", Applied Statistics 28, 1979): the largest excursion of the cumulative sum of centred ranks,

    S(t) = sum over the first t requests of (rank - mean rank),    k = -min S(t) / (sd of the ranks * sqrt(n)),

which without a change behaves like a Brownian bridge: P(excursion >= k) = exp(-2 k^2), one-sided, too careful for
few requests. With mean ranks for ties and their own standard deviation it also holds for values that are mostly
equal, so it is asked twice: about the values themselves (everything became slower) and about whether a value is
out of the ordinary (some became slower, which moves the ranks too little). Ranks do not care how wild the slow
ones are. The moment is where the sum, standardised by sqrt(t (n - t)), is lowest, give or take some requests; the
likeliest split of ordinary and other values then is closer (Hinkley and Hinkley, "Inference about the Change-Point
in a Sequence of Binomial Variables", Biometrika 57, 1970), so that no slow request counts as one of before. A change
must also matter: enough of the later requests lie above the old 95th percentile, by enough.
"""

from __future__ import annotations

from itertools import accumulate
from math import exp, log, sqrt
from statistics import fmean, pstdev
from typing import TYPE_CHECKING

from msgspec import Struct

from analysis.population.spread import Spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.options import CompareOptions


class Onset(Struct, frozen=True, kw_only=True):
    """A rise: the first request after it, and how many of those `after` it are above the `limit` of before."""

    index: int
    above: int
    after: int
    limit: float


def onset(values: Sequence[int], floor: float, options: CompareOptions, like: float = 0.0) -> Onset | None:
    """Find the rise in values of requests in time order; None when chance explains them, or they are too few.

    `floor`: a rise by less than this is none (same unit as the values). `like`: the value whose likes are looked for.
    """
    if len(values) < options.onset_traces:
        return None
    limit = ordinary(values, floor, options, like)
    all_of_them, some_of_them = _rise(values), _rise([value > limit for value in values])
    if min(all_of_them, some_of_them)[0] > options.onset_chance / 2:  # two questions: chance may answer either
        return None
    turn = (all_of_them if all_of_them[0] <= options.onset_chance / 2 else some_of_them)[1]
    limit = ordinary(values[:turn], floor, options, like)
    index = _split([value > limit for value in values])
    old = Spread.of(values[:index])
    limit = max(old.at(95), old.middle + _rise_of(old, floor, options, like))
    above, after = sum(value > limit for value in values[index:]), len(values) - index
    return Onset(index=index, above=above, after=after, limit=limit) if above >= options.onset_share * after else None


def ordinary(values: Sequence[int], floor: float, options: CompareOptions, like: float = 0.0) -> float:
    """Return the limit above which a value is out of the ordinary, as long as less than half of them are."""
    spread = Spread.of(values)
    return spread.middle + max(options.unusual_mad * spread.mad, _rise_of(spread, floor, options, like))


def _rise_of(spread: Spread, floor: float, options: CompareOptions, like: float) -> float:
    return max(floor, options.recurrence_part * (like - spread.middle))


def _rise(values: Sequence[float]) -> tuple[float, int]:
    """Return how probable so large a rise is by chance, and the first index after it (standardised for its place)."""
    ranks = _mean_ranks(values)
    deviation = pstdev(ranks)
    if not deviation:
        return 1.0, 0
    mean, n = fmean(ranks), len(values)
    sums = list(accumulate(rank - mean for rank in ranks))
    k = max(0.0, -min(sums)) / (deviation * sqrt(n))
    return exp(-2 * k * k), min(range(1, n), key=lambda t: sums[t - 1] / sqrt(t * (n - t)))


def _split(high: list[bool]) -> int:
    """Return the first index after the change of a share: the split under which both parts are the likeliest."""
    n, total = len(high), sum(high)
    sums = list(accumulate(high))[:-1]
    return 1 + max(range(n - 1), key=lambda i: _likelihood(sums[i], i + 1) + _likelihood(total - sums[i], n - i - 1))


def _likelihood(hits: int, of: int) -> float:
    """Return the logarithm of the likelihood of so many hits at their own share."""
    return sum(k * log(k / of) for k in (hits, of - hits) if k)


def _mean_ranks(values: Sequence[float]) -> list[float]:
    spread: dict[float, list[int]] = {}
    for i, value in enumerate(values):
        spread.setdefault(value, []).append(i)
    ranks = [0.0] * len(values)
    passed = 0
    for value in sorted(spread):
        equal = spread[value]
        for i in equal:
            ranks[i] = passed + (len(equal) + 1) / 2
        passed += len(equal)
    return ranks
