"""A population: recent traces of the same root operation, summed up per call path.

Two traces are one sample each; healthy requests of one operation easily differ by half. A population says
what is usual: per call path the median, the spread and the tail of exposed time and calls. It is kept in
reduced form (numbers per call path, no spans), which can be stored and merged.
"""

from __future__ import annotations

from hashlib import blake2b
from statistics import median
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from analysis.operation_key import OperationKeys
from analysis.options import DEFAULTS, CompareOptions
from analysis.profile import CallGroup, Profile, profile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.align import Pair
    from analysis.model import Trace
    from analysis.operation_key import OperationKey

SCALE = 1.4826  # makes the median absolute deviation comparable to a standard deviation


class Sample(Struct, frozen=True):
    """One trace in reduced form: per call path its exposed time (ns), calls and errors."""

    trace_id: str
    started_at_ns: int
    response_ns: int
    groups: dict[str, tuple[int, int, int]]


class Population(Struct, frozen=True, kw_only=True):
    """Reduced traces of one root operation."""

    root: str  # call path of the root
    samples: tuple[Sample, ...]

    @classmethod
    def from_traces(cls, traces: Iterable[Trace], options: CompareOptions = DEFAULTS) -> Population:
        """Reduce traces; those of another root operation than the most frequent one are left out."""
        keys = OperationKeys()
        by_root: dict[str, list[Sample]] = {}
        for trace in traces:
            reduced = profile(trace, keys, options)
            paths = call_paths(reduced)
            sample = Sample(
                trace.trace_id,
                reduced.tree.origin_ns,
                reduced.tree.response_ns,
                _sums(reduced, paths),
            )
            by_root.setdefault(paths[id(reduced.root)], []).append(sample)
        if not by_root:
            return cls(root="", samples=())
        root = max(by_root, key=lambda path: (len(by_root[path]), path))
        return cls(root=root, samples=tuple(by_root[root]))

    def merged(self, other: Population) -> Population:
        """Join two populations of one operation; a trace in both counts once."""
        known = {sample.trace_id for sample in self.samples}
        extra = tuple(s for s in other.samples if s.trace_id not in known and other.root == self.root)
        return Population(root=self.root, samples=self.samples + extra)

    def to_json(self) -> bytes:
        """Encode for storage."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, body: bytes) -> Population:
        """Read back what `to_json` wrote."""
        return msgspec.json.decode(body, type=cls)


def _sums(reduced: Profile, paths: dict[int, str]) -> dict[str, tuple[int, int, int]]:
    return {paths[id(g)]: (g.exposed_ns, g.calls, g.errors) for g in reduced.groups}


def call_paths(reduced: Profile) -> dict[int, str]:
    """Return a short stable name of every group's call path, by id(group)."""
    names: dict[int, str] = {}
    for group in reduced.groups:
        above = names[id(group.parent)] if group.parent is not None else ""
        names[id(group)] = blake2b(f"{above}>{_text(reduced.keys[group.key])}".encode(), digest_size=8).hexdigest()
    return names


def _text(key: OperationKey) -> str:
    return f"{key.service}|{key.name}|{key.kind.value}|{key.detail}"


class Spread(Struct, frozen=True):
    """What is usual for one number: its median, scaled MAD and extremes in the population."""

    middle: float
    mad: float
    low: int
    high: int

    @classmethod
    def of(cls, values: list[int]) -> Spread:
        """Sum up a list of values."""
        middle = median(values)
        return cls(middle, SCALE * median(abs(v - middle) for v in values), min(values), max(values))


class Norms:
    """A population seen from one comparison: what is usual for each pair."""

    def __init__(self, population: Population, baseline: Profile, suspect: Profile, options: CompareOptions) -> None:
        self.size = len(population.samples)
        self.options = options
        self._samples = population.samples
        self._paths = {**call_paths(baseline), **call_paths(suspect)}
        self.response = Spread.of([s.response_ns for s in population.samples])
        self._spreads: dict[str, Spread] = {}

    def spread(self, pair: Pair) -> Spread:
        """Return what is usual for the pair's exposed time."""
        path = self._path(pair)
        known = self._spreads.get(path)
        if known is None:
            known = Spread.of([s.groups.get(path, (0, 0, 0))[0] for s in self._samples])
            self._spreads[path] = known
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
    if population is None or len(population.samples) < options.population_min:
        return None
    view = Norms(population, baseline, suspect, options)
    if population.root not in (
        call_paths(baseline)[id(baseline.root)],
        call_paths(suspect)[id(suspect.root)],
    ):
        return None
    return view
