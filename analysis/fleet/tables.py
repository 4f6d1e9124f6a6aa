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

  The limit t is drawn from both windows together. Drawn from the baseline alone (its 95th percentile), it would be
  a random number of one of the two sides that Fisher's test takes for a fixed one, and alarms would be too many.
"""

from __future__ import annotations

from math import exp, lgamma
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    probability is corrected for the number of questions. None when no share can be asked.
    """
    both = sorted((*a, *b))
    asked: dict[int, int] = {}  # how many values lie above a limit
    for share in shares:
        limit = both[len(both) - 1 - round(share * len(both))]
        above = sum(value > limit for value in both)
        if above >= fewest:
            asked[limit] = above
    tails = [Tail(limit, _uneven(b, limit, above, len(both))) for limit, above in asked.items()]
    if not tails:
        return None
    best = min(tails, key=lambda tail: (tail.p, -tail.limit))
    return Tail(best.limit, min(1.0, best.p * len(tails)))


def _uneven(b: Sequence[int], limit: int, above: int, total: int) -> float:
    k, m = sum(value > limit for value in b), len(b)
    return min(1.0, 2 * min(at_least(k, above, m, total), at_least(above - k, above, total - m, total)))


def _log_probability(k: int, r: int, m: int, total: int) -> float:
    return _log_choose(m, k) + _log_choose(total - m, r - k) - _log_choose(total, r)


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
