"""The typical request: the medoid of a population, a real trace that people can open.

A request is a point with one coordinate per call path, its exposed time, in units of that path's usual spread.
The medoid is the request with the smallest sum of distances to all others (distances add up over the paths):

    path 2 |      . .
           |    . M .  .          M is the medoid; the slow request x pulls it nowhere
           |     .  .
           |                          x
           +-----------------------------> path 1

Distances along one coordinate need no look at every pair: sorted, the sum of distances of the i-th of n values
v is  v*i - (sum of those before)  +  (sum of those after) - v*(n-1-i). The whole costs paths x n log n.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from analysis.population.spread import Spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.options import CompareOptions
    from analysis.population.sample import Sample

ABSENT = (0, 0, 0, 0)


def medoid(samples: Sequence[Sample], root: str, options: CompareOptions) -> Sample | None:
    """Return the most typical sample, healthy and complete if there is such a one; None for no samples.

    `root`: call path of the root. Among equals the earliest is taken, then the smallest trace id.
    """
    eligible = _sound(samples, root)
    if not eligible:
        return None
    totals = [0.0] * len(eligible)
    for path in sorted({path for sample in eligible for path in sample.groups}):
        values = [sample.groups.get(path, ABSENT)[0] for sample in eligible]
        scale = max(Spread.of(values).mad, options.group_noise_ns)
        for i, distance in enumerate(_distances(values)):
            totals[i] += distance / scale
    best = min(range(len(eligible)), key=lambda i: (totals[i], eligible[i].started_at_ns, eligible[i].trace_id))
    return eligible[best]


def _sound(samples: Sequence[Sample], root: str) -> list[Sample]:
    """Leave out failing requests, then half-recorded ones, unless all are."""
    erring: dict[str, int] = {}
    for sample in samples:
        for path, figures in sample.groups.items():
            if figures[2]:
                erring[path] = erring.get(path, 0) + 1
    # An error that most requests have (a lookup answered with "not found") belongs to being typical.
    unusual = {path for path, number in erring.items() if path == root or 2 * number <= len(samples)}
    healthy = [s for s in samples if not any(path in unusual and s.groups[path][2] for path in s.groups)]
    found = healthy or list(samples)
    return [s for s in found if not s.partial] or found


def _distances(values: list[int]) -> list[int]:
    """Return for each value the sum of its distances to all others."""
    order = sorted(range(len(values)), key=values.__getitem__)
    sums = list(accumulate((values[i] for i in order), initial=0))
    n, total = len(values), sums[-1]
    distances = [0] * n
    for rank, i in enumerate(order):
        value = values[i]
        distances[i] = value * rank - sums[rank] + (total - sums[rank + 1]) - value * (n - 1 - rank)
    return distances
