"""The population as one comparison sees it: what is usual for each pair of groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.population.reduced import call_paths
from analysis.population.spread import Spread
from analysis.population.typical import ABSENT

if TYPE_CHECKING:
    from analysis.align import Pair
    from analysis.options import CompareOptions
    from analysis.population.reduced import Population, Sample
    from analysis.profile import CallGroup, Profile


class Norms:
    """What a population says about two traces, which are themselves not counted in it."""

    def __init__(self, samples: list[Sample], baseline: Profile, suspect: Profile, options: CompareOptions) -> None:
        self.size = len(samples)
        self.options = options
        self._samples = samples
        self._paths = {**call_paths(baseline), **call_paths(suspect)}
        self.response = Spread.of(s.response_ns for s in samples)
        self._spreads: dict[str, Spread] = {}

    def spread(self, pair: Pair) -> Spread:
        """Return what is usual for the pair's exposed time."""
        path = self._path(pair)
        known = self._spreads.get(path)
        if known is None:
            known = self._spreads[path] = Spread.of(s.groups.get(path, ABSENT)[0] for s in self._samples)
        return known

    def exposed_spread(self, pair: Pair) -> int | None:
        """Return the upper end (ns) of what is usual for the pair's exposed time."""
        spread = self.spread(pair)
        return int(max(spread.high, spread.middle + self.options.unusual_mad * spread.mad))

    def presence(self, pair: Pair) -> float:
        """Return the share of traces that have the pair's call path."""
        path = self._path(pair)
        return sum(path in s.groups for s in self._samples) / self.size

    def usual_response(self, response_ns: int) -> bool:
        """Tell whether a response time is within normal variation."""
        spread = self.response
        reach = max(self.options.unusual_mad * spread.mad, self.options.group_noise_ns)
        return response_ns <= max(spread.high, spread.middle + reach)

    def _path(self, pair: Pair) -> str:
        group: CallGroup = (pair.baseline or pair.suspect)[0]
        return self._paths[id(group)]


def norms(population: Population | None, baseline: Profile, suspect: Profile, options: CompareOptions) -> Norms | None:
    """View a population from a comparison; None when there is none or it says nothing about this operation."""
    if population is None:
        return None
    roots = (call_paths(side)[id(side.root)] for side in (baseline, suspect))
    compared = {baseline.tree.trace_id, suspect.tree.trace_id}
    others = [sample for sample in population.samples if sample.trace_id not in compared]
    if population.root not in roots or len(others) < options.population_min:
        return None
    return Norms(others, baseline, suspect, options)
