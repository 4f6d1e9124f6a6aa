"""Ranks: whether one of two samples tends to be larger, and by how much, whatever their distributions are.

Response times have long tails and several humps; means and standard deviations of them are what the wildest request
makes of them. Ranks ask only which of two values is larger:

    A    . .. ...  . .          x          wild or not, x is the largest
    B         . ..... .. .                 most values of B lie to the right of most of A
         +--------------------------> ns

- whether: the U test of Mann and Whitney ("On a Test of Whether one of Two Random Variables is Stochastically Larger
  than the Other", Annals of Mathematical Statistics 18, 1947). Few traces: the exact distribution of the rank sum
  given the ties, counted by its generating function (Streitberg and Röhmel, "Exact Distributions for Permutation and
  Rank Tests", Statistical Software Newsletter 12, 1986). Many: the normal approximation, with the correction for ties
  and for continuity (Lehmann, "Nonparametrics", 1975, section 1.4).
- by how much: the median of all differences of a value of B and one of A (Hodges and Lehmann, "Estimates of Location
  Based on Rank Tests", Annals of Mathematical Statistics 34, 1963), with the interval of those shifts that the U test
  would not reject.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate, chain, groupby, pairwise
from math import comb, erfc, floor, gcd, sqrt
from typing import TYPE_CHECKING

from analysis.fleet.result import Shift

if TYPE_CHECKING:
    from collections.abc import Sequence

EXACT = 40  # traces of both sides up to which the distribution is counted: beyond, the approximation is as good
NORMAL_95 = 1.959964  # the 97.5th percentile of the normal distribution: a two-sided interval of 95 %


def rank_test(a: Sequence[int], b: Sequence[int]) -> float:
    """Return how probable so different ranks of two ascending samples are by chance (two-sided)."""
    n, m = len(a), len(b)
    # Twice U: how often a value of B beats one of A, ties counting half; kept whole by doubling.
    beats = sum(bisect_left(a, value) + bisect_right(a, value) for value in b)
    away = abs(beats - n * m)
    ties = [len(list(equal)) for _, equal in groupby(sorted(chain(a, b)))]
    if n + m <= EXACT:
        return _exact(ties, m, away)
    total = n + m
    tied = sum(t**3 - t for t in ties) / (total * (total - 1))
    deviation = sqrt(n * m / 12 * (total + 1 - tied))
    if not deviation:
        return 1.0
    # Half of a step between two possible values of U: of 1 without ties, larger when there are few distinct values.
    half = gcd(*(one - other for one, other in pairwise(_ranks(ties)))) / 4
    return erfc(max(0.0, away / 2 - half) / deviation / sqrt(2))


def _ranks(ties: list[int]) -> list[int]:
    """Return twice the mean rank of each distinct value."""
    passed = accumulate(ties, initial=0)
    return [2 * before + tied + 1 for before, tied in zip(passed, ties, strict=False)]


def _exact(ties: list[int], m: int, away: int) -> float:
    """Count the ways to draw m of the ranks whose sum is at least as far from the middle as the observed.

    `chosen[k]` holds, packed into one whole number, how many ways there are to draw k of the ranks so far with each
    sum: adding a rank r is one shift by r fields.
    """
    total = sum(ties)
    field = comb(total, m).bit_length() // 8 + 1  # bytes that hold any count
    chosen = [1] + [0] * m
    for tied, rank in zip(ties, _ranks(ties), strict=True):
        for _ in range(tied):
            for k in range(m, 0, -1):
                chosen[k] += chosen[k - 1] << (8 * field * rank)
    counts = chosen[m].to_bytes((total * (total + 1) + 1) * field, "little")
    middle = m * (total + 1)  # twice the mean rank sum
    extreme = sum(
        int.from_bytes(counts[s * field : (s + 1) * field], "little")
        for s in range(total * (total + 1) + 1)
        if abs(s - middle) >= away
    )
    return extreme / comb(total, m)


def shift(a: Sequence[int], b: Sequence[int]) -> Shift:
    """Return by how much ascending b is above ascending a: the Hodges-Lehmann estimate with its 95 % interval."""
    n, m = len(a), len(b)
    pairs = n * m
    lower, upper = _difference(a, b, (pairs + 1) // 2), _difference(a, b, pairs // 2 + 1)
    # Rejected are the differences so far out that fewer than `out` of the pairs lie beyond.
    out = max(1, floor(pairs / 2 - NORMAL_95 * sqrt(pairs * (n + m + 1) / 12)))
    return Shift(
        value=int((lower + upper) / 2),  # towards zero: the same size whichever side comes first
        low=_difference(a, b, out),
        high=_difference(a, b, pairs + 1 - out),
    )


def _difference(a: Sequence[int], b: Sequence[int], k: int) -> int:
    """Return the k-th smallest (from 1) of all differences b - a, by bisection: their number is never listed."""
    low, high = b[0] - a[-1], b[-1] - a[0]
    n = len(a)
    while low < high:
        middle = (low + high) // 2
        if sum(n - bisect_left(a, value - middle) for value in b) >= k:
            high = middle
        else:
            low = middle + 1
    return low
