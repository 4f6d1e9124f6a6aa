"""Tables of two by two: whether something is more frequent on one side, exactly, however rare it is.

                 has it   has not
    suspect         k      m - k           given the four margins, k follows the hypergeometric distribution
    baseline      r - k    n - r + k

- Fisher's exact test (Fisher, "The Logic of Inductive Inference", Journal of the Royal Statistical Society 98, 1935):
  for errors and for values of attributes.
- The quantile test (Johnson, Verrill and Moore, "Two-Sample Rank Tests for Detecting Changes that Occur in a Small
  Proportion of the Treated Population", Biometrics 43, 1987): of the r largest values of both windows, how many are
  the suspect's? It finds one slow request in ten, which moves ranks and medians hardly at all:

      A    . . .. ... .. .  .  |
      B    . . .. .. ... . .   |  xx x          the r largest: all of them in B
           +-------------------t----------> ns

  How many are "the largest" depends on how many are struck, which nobody knows: several numbers are tried, and the
  least probable split counts. That so improbable a one turns up at any of them is computed exactly: down the order of
  all values the number of the suspect's is a walk whose steps are hypergeometric, and what is summed up is how often
  it leaves the band of splits that are more probable (as Noé did for empirical distributions, "The Calculation of
  Distributions of Two-Sided Kolmogorov-Smirnov Type Statistics", Annals of Mathematical Statistics 43, 1972).

  The limit t is drawn from both windows together. Drawn from the baseline alone (its 95th percentile), it would be
  a random number of one of the two sides that Fisher's test takes for a fixed one, and alarms would be too many.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate
from math import exp, lgamma
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

WORTH_COUNTING = (1e-6, 0.05)  # sums of probabilities between these are worth the exact one
EQUAL = 1e-7  # logarithms of probabilities closer than this are of the same probability, rounding apart


class Tail(Struct, frozen=True):
    """The largest values of both windows: those above `limit`, and how probable their split is by chance."""

    limit: int
    p: float


def at_least(k: int, r: int, m: int, total: int) -> float:
    """Return how probable it is that at least k of r drawn out of `total` are among its m (one-sided)."""
    lowest, highest = max(k, r + m - total, 0), min(r, m)
    return min(1.0, sum(exp(_log_probability(i, r, m, total)) for i in range(lowest, highest + 1)))


def fisher(k: int, r: int, m: int, total: int) -> float:
    """Return Fisher's two-sided probability: of all tables that are no more probable than this one."""
    observed = _log_probability(k, r, m, total) + EQUAL
    chances = (_log_probability(i, r, m, total) for i in range(max(0, r + m - total), min(r, m) + 1))
    return min(1.0, sum(exp(chance) for chance in chances if chance <= observed))


def quantile_test(a: Sequence[int], b: Sequence[int], shares: Sequence[float], fewest: int) -> Tail | None:
    """Ask of several shares of the largest values of two ascending samples whether one side has too many of them.

    `fewest`: shares that come to fewer values than this are not asked, no split of them says anything. The
    probability is that of so improbable a split at any of the shares. None when no share can be asked.
    """
    both = sorted((*a, *b))
    asked: dict[int, int] = {}  # how many values lie above a limit
    for share in shares:
        limit, above = _largest(both, round(share * len(both)))
        if above >= fewest:
            asked[limit] = above
    tails = [Tail(limit, _uneven(b, limit, above, len(both))) for limit, above in asked.items()]
    if not tails:
        return None
    best = min(tails, key=lambda tail: (tail.p, -tail.limit))
    p = min(1.0, best.p * len(tails))
    if WORTH_COUNTING[0] < p < WORTH_COUNTING[1]:
        p = min(p, _at_any(best.p, sorted(asked.values()), len(b), len(both)))
    return Tail(best.limit, p)


def _largest(both: Sequence[int], number: int) -> tuple[int, int]:
    """Return the limit above which about so many values lie, and how many really do.

    Clocks that count in milliseconds, and timeouts, make many values the same. Where those at the limit hide more than
    half of what is asked for, they count as large ones too, unless that were half of all values:

        . ... .. . .    :::::  .                asked for 3: all 6 from here on
                        ^
    """
    limit = both[len(both) - 1 - number]
    above = len(both) - bisect_right(both, limit)
    first = bisect_left(both, limit)
    if 2 * above >= number or 2 * first < len(both) or not first:
        return limit, above
    return both[first - 1], len(both) - first


def _at_any(p: float, numbers: Sequence[int], m: int, total: int) -> float:
    """Return how probable a split of at most probability p is at any of some numbers of largest values (rising)."""
    left = 0.0
    inside = {0: 1.0}  # how many of the largest so far are the suspect's -> probability, never having left the band
    before = 0
    limit = p * (1 + EQUAL)
    for number in numbers:
        reached: dict[int, float] = {}
        for k, chance in inside.items():
            rest, mine, drawn = total - before, m - k, number - before
            for more in range(max(0, drawn - (rest - mine)), min(drawn, mine) + 1):
                reached[k + more] = reached.get(k + more, 0.0) + chance * exp(_log_probability(more, drawn, mine, rest))
        outside = _outside(limit, number, m, total)
        left += sum(chance for k, chance in reached.items() if k in outside)
        inside = {k: chance for k, chance in reached.items() if k not in outside}
        before = number
    return min(1.0, left)


def _outside(limit: float, above: int, m: int, total: int) -> set[int]:
    """Return the splits of the `above` largest values whose two-sided probability is at most `limit`."""
    possible = range(max(0, above + m - total), min(above, m) + 1)
    chances = [exp(_log_probability(k, above, m, total)) for k in possible]
    lower = accumulate(chances)
    upper = reversed(list(accumulate(reversed(chances))))
    return {k for k, low, high in zip(possible, lower, upper, strict=True) if min(1.0, 2 * min(low, high)) <= limit}


def _uneven(b: Sequence[int], limit: int, above: int, total: int) -> float:
    return _two_sided(sum(value > limit for value in b), above, len(b), total)


def _two_sided(k: int, above: int, m: int, total: int) -> float:
    return min(1.0, 2 * min(at_least(k, above, m, total), at_least(above - k, above, total - m, total)))


def _log_probability(k: int, r: int, m: int, total: int) -> float:
    return _log_choose(m, k) + _log_choose(total - m, r - k) - _log_choose(total, r)


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
