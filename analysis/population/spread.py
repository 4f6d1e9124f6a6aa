"""What is usual for one number, by statistics that a few wild requests cannot move.

Median and MAD (the median distance from the median) stay where they are as long as most requests are healthy;
mean and standard deviation follow a single outlier.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAD_TO_SIGMA = 1.4826  # makes the median absolute deviation of a normal distribution its standard deviation


class Spread(Struct, frozen=True):
    """The distribution of one number over a population, kept whole: it is small."""

    ordered: tuple[int, ...]  # ascending, at least one
    middle: float
    mad: float  # scaled to a standard deviation

    @classmethod
    def of(cls, values: Iterable[int]) -> Spread:
        """Sum up at least one value."""
        ordered = tuple(sorted(values))
        middle = percentile(ordered, 50)
        return cls(ordered, middle, MAD_TO_SIGMA * percentile(sorted(abs(v - middle) for v in ordered), 50))

    @property
    def high(self) -> int:
        """The largest value."""
        return self.ordered[-1]

    @property
    def low(self) -> int:
        """The smallest value."""
        return self.ordered[0]

    def at(self, percent: float) -> int:
        """Return the value at a percentile (0 to 100), to the nearest whole number."""
        return round(percentile(self.ordered, percent))

    def below(self, value: int) -> int:
        """Count the values smaller than this one."""
        return bisect_left(self.ordered, value)

    def rank(self, value: int) -> float:
        """Return the percentile rank (0 to 100) of a value; among equals the middle one."""
        return 50 * (bisect_left(self.ordered, value) + bisect_right(self.ordered, value)) / len(self.ordered)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return a percentile of ascending values, linear between neighbours (the usual definition, Hyndman-Fan 7)."""
    place = (len(ordered) - 1) * percent / 100
    below = int(place)
    low, high = ordered[below], ordered[min(below + 1, len(ordered) - 1)]
    return low + (high - low) * (place - below)
