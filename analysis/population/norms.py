"""The population as one comparison sees it: what is usual for its groups, and which requests set that.

The two compared traces do not count. Where requests became slower (or quicker) at some moment, only those of the
calmer time say what is usual, or an incident would become its own norm:

    time    |               x  x x x
            |             x  x  x         B lies among these, and is slow all the same
            |. . .. . .
            +-usual------s----------->

A baseline from before the whole population, and quicker than all of it, is such a calmer time of one request: too
little to say what is usual.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.notes import Note, Severity
from analysis.population.onset import onset
from analysis.population.sample import call_paths
from analysis.population.spread import Spread
from analysis.population.typical import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.align import Pair
    from analysis.options import CompareOptions
    from analysis.population.reduced import Population
    from analysis.population.sample import Sample
    from analysis.profile import CallGroup, Profile
    from analysis.tree import SpanTree

EXPOSED, CALLS, ERRORS, WAITED = range(4)  # the numbers of a sample's group


class Norms:
    """What is usual, by the requests that set it (at least `population_min`).

    As a rule all that these requests show is usual. A response out of the ordinary (`odd`) is held against the bulk
    of them instead: that three other requests of sixty are as slow makes it no healthy one.

        . . .:::::. . .        . .   .      odd: beyond the bulk, though not beyond all
        |---- bulk ----|-------B----|
    """

    def __init__(
        self, samples: list[Sample], names: dict[int, str], responses: tuple[int, int], options: CompareOptions
    ) -> None:
        self.size = len(samples)
        self.samples = samples
        self.options = options
        self._names = names
        self.response = Spread.of(s.response_ns for s in samples)
        self._spreads: dict[tuple[tuple[str, ...], int], Spread] = {}
        self._met = frozenset(path for sample in samples for path in sample.groups)
        low, high = max(min(responses), int(self.response.middle)), max(responses)
        apart = high >= max(options.odd_ratio * low, low + options.slower_floor_ns)
        self.odd = apart and high > self._bulk(self.response)
        self.calm = not self.odd and self.usual_response(high)

    def spread(self, pairs: Iterable[Pair], number: int = EXPOSED) -> Spread:
        """Return what is usual for one number, summed over some pairs."""
        paths = tuple(path for path in _paths(pairs, self._names) if path in self._met)
        known = self._spreads.get((paths, number))
        if known is None:
            known = self._spreads[paths, number] = Spread.of(series(self.samples, paths, number))
        return known

    def known(self, pairs: Iterable[Pair]) -> bool:
        """Tell whether any request has the calls of some pairs."""
        return not self._met.isdisjoint(_paths(pairs, self._names))

    def limit(self, pairs: Iterable[Pair], number: int = EXPOSED) -> int:
        """Return the upper end (ns) of what is usual for a time of some pairs."""
        spread = self.spread(pairs, number)
        return int(self._bulk(spread) if self.odd else max(spread.high, self._bulk(spread)))

    def _bulk(self, spread: Spread) -> float:
        reach = max(self.options.unusual_mad * spread.mad, self.options.group_noise_ns)
        return max(spread.at(self.options.ordinary_percentile), spread.middle + reach)

    def presence(self, pair: Pair) -> float:
        """Return the share of requests that have the pair's calls."""
        spread = self.spread([pair], CALLS)
        return 1 - spread.below(1) / self.size

    def usual_calls(self, pair: Pair, fewer: int, more: int, number: int = CALLS) -> bool:
        """Tell whether both numbers of calls (or errors) of a pair, and what lies beyond them, occur often enough.

        In a request that takes no longer than usual, having occurred at all is enough.
        """
        spread = self.spread([pair], number)
        enough = 1 if self.calm else max(2, self.options.usual_share * self.size)
        return spread.below(fewer + 1) >= enough and self.size - spread.below(more) >= enough

    def usual_response(self, response_ns: int) -> bool:
        """Tell whether a response time is not longer than any that normal variation makes."""
        return response_ns <= max(self.response.high, self._bulk(self.response))

    def far_beyond(self, response_ns: int) -> bool:
        """Tell whether a response time is clearly longer than the slowest: a little longer one comes by chance.

        Clearly: by what no jitter makes, or as far beyond the slowest as that is beyond the median.
        """
        slowest, options = self.response.high, self.options
        step = min(options.slower_floor_ns, slowest - self.response.middle)
        return response_ns >= max(options.hint_ratio * slowest, slowest + step)

    def as_slow(self, response_ns: int) -> int:
        """Count the requests that take as long or longer."""
        return self.size - self.response.below(response_ns)


class Recent:
    """All requests of a population but the compared ones, oldest first, and those of them that set what is usual."""

    def __init__(
        self,
        samples: list[Sample],
        root: str,
        names: dict[int, str],
        baseline: SpanTree,
        suspect: SpanTree,
        options: CompareOptions,
    ) -> None:
        self.samples = samples
        self.root = root
        self.options = options
        self._names = names
        self.change, self.changed = "", 0  # "slower" or "faster", and the first request that is
        self.usual = self._calmer(baseline.response_ns, baseline.origin_ns)
        self.response = Spread.of(s.response_ns for s in self.usual or samples)
        responses = (baseline.response_ns, suspect.response_ns)
        enough = len(self.usual) >= options.population_min
        self.norms = Norms(self.usual, self._names, responses, options) if enough else None

    def paths(self, pairs: Iterable[Pair]) -> tuple[str, ...]:
        """Return the call paths of some pairs, as either side knows them."""
        return _paths(pairs, self._names)

    def typical(self, response_ns: int) -> bool:
        """Tell whether a response time is neither unusually long nor unusually short."""
        spread, options = self.response, self.options
        reach = max(options.unusual_mad * spread.mad, options.hint_floor_ns, (options.hint_ratio - 1) * spread.middle)
        rank, tail = spread.rank(response_ns), options.typical_percentile
        return abs(response_ns - spread.middle) <= reach or 100 - tail <= rank <= tail

    def _calmer(self, baseline_ns: int, baseline_start_ns: int) -> list[Sample]:
        responses, options = [s.response_ns for s in self.samples], self.options
        spread = Spread.of(responses)
        slower = max(options.slower_ratio * baseline_ns, baseline_ns + options.slower_floor_ns)
        from_before = baseline_start_ns < self.samples[0].started_at_ns
        if from_before and baseline_ns < spread.low and spread.middle >= slower:
            return []
        floor = max(options.hint_floor_ns, (options.slower_ratio - 1) * spread.middle)
        if rise := onset(responses, floor, options):
            self.change, self.changed = "slower", rise.index
            return self.samples[: rise.index]
        if fall := onset(responses[::-1], floor, options):
            self.change, self.changed = "faster", len(responses) - fall.index
            return self.samples[self.changed :]
        return self.samples


def _paths(pairs: Iterable[Pair], names: dict[int, str]) -> tuple[str, ...]:
    groups: list[CallGroup] = [group for pair in pairs for group in (*pair.baseline, *pair.suspect)]
    return tuple(dict.fromkeys(names[id(group)] for group in groups))


def series(samples: Iterable[Sample], paths: tuple[str, ...], number: int) -> list[int]:
    """Return one number per sample, summed over some call paths."""
    if len(paths) == 1:
        return [sample.groups.get(paths[0], ABSENT)[number] for sample in samples]
    return [sum(sample.groups.get(path, ABSENT)[number] for path in paths) for sample in samples]


def recent(
    population: Population | None, baseline: Profile, suspect: Profile, options: CompareOptions
) -> tuple[Recent | None, list[Note]]:
    """View a population from a comparison; None, with a note that says why, when it says nothing about the two."""
    if population is None:
        return None, []
    compared = {baseline.tree.trace_id, suspect.tree.trace_id}
    others = [sample for sample in population.samples if sample.trace_id not in compared]
    names = {**call_paths(baseline), **call_paths(suspect)}
    if others and population.root not in {names[id(side.root)] for side in (baseline, suspect)}:
        return None, [_unused("the population is of another operation: it says nothing about these two")]
    if (missing := options.population_min - len(others)) > 0:
        return None, [_unused(_too_small(len(others), missing))]
    return Recent(others, population.root, names, baseline.tree, suspect.tree, options), []


def _too_small(others: int, missing: int) -> str:
    if not others:
        return "there were no other traces to compare these two with: what is usual is not known"
    traces = "1 other trace" if others == 1 else f"{others} other traces"
    return f"the population has {traces}: {missing} more would say what is usual"


def _unused(text: str) -> Note:
    return Note(code="population-not-used", severity=Severity.WARNING, count=1, text=text)
