"""A population in reduced form: per trace and call path four numbers, and no text of the traces at all.

Call paths are named by a hash, so what is stored holds no statement, URL or name. Populations are bounded and
can be merged in any order and grouping with the same result:

- of the samples, the `population_samples` newest are kept (a trace in both counts once);
- of one sample's call paths, the `population_paths` that held the request up longest are kept.

Both rules (`sample.py`) keep the first of one total order, so it makes no difference when the rest is dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from analysis.collector import collector_paused
from analysis.errors import PopulationError
from analysis.operation_key import OperationKeys
from analysis.options import DEFAULTS, CompareOptions
from analysis.population.sample import Name, Sample, newest_samples, reduce_profile
from analysis.population.typical import medoid
from analysis.profile import profile
from analysis.sensitive import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.model import Trace

SCHEMA_VERSION = 1  # also to be raised when call paths get other names (operation keys templated in a new way)
MAX_STORED_BYTES = 32 * 2**20  # several times what the bounds on samples and call paths allow


class Population(Struct, frozen=True, kw_only=True):
    """Reduced traces of one root operation, oldest first. Immutable; equal when the same traces went in."""

    root: Name  # call path of the root; "" when empty
    samples: tuple[Sample, ...]

    @classmethod
    def from_traces(cls, traces: Iterable[Trace], options: CompareOptions = DEFAULTS) -> Population:
        """Reduce traces; those of another root operation than the most frequent one are left out."""
        keys = OperationKeys(Redactor.of(options))
        by_root: dict[str, list[Sample]] = {}
        for trace in traces:
            with collector_paused():  # for one trace at a time: what is left of it goes before the next
                root, sample = reduce_profile(profile(trace, keys, options), options)
            by_root.setdefault(root, []).append(sample)
        if not by_root:
            return cls(root="", samples=())
        root = max(by_root, key=lambda path: (len(by_root[path]), path))
        return cls(root=root, samples=newest_samples(by_root[root], options))

    def merge(self, other: Population, options: CompareOptions = DEFAULTS) -> Population:
        """Join two populations of one operation; `PopulationError` if they are of two."""
        if not self.samples or not other.samples:
            return self if self.samples else other
        if self.root != other.root:
            raise PopulationError("populations of two different operations cannot be merged")
        return Population(root=self.root, samples=newest_samples((*self.samples, *other.samples), options))

    def typical(self, options: CompareOptions = DEFAULTS) -> str | None:
        """Return the id of the most typical trace, a healthy one where there is any; None when empty."""
        found = medoid(self.samples, self.root, options)
        return found.trace_id if found is not None else None

    def to_bytes(self) -> bytes:
        """Encode for storage; the same population gives the same bytes."""
        return msgspec.msgpack.encode(_Stored(schema_version=SCHEMA_VERSION, population=self))

    @classmethod
    def from_bytes(cls, body: bytes, options: CompareOptions = DEFAULTS) -> Population:
        """Read back what `to_bytes` wrote; `PopulationError` for anything else, also for another version."""
        if len(body) > MAX_STORED_BYTES:
            raise PopulationError(f"a stored population has at most {MAX_STORED_BYTES:,} bytes, this has {len(body):,}")
        try:
            version = msgspec.msgpack.decode(body, type=_Version).schema_version
            if version != SCHEMA_VERSION:
                raise PopulationError(
                    f"the stored population has schema version {version}, this program reads {SCHEMA_VERSION}: "
                    "build it again from traces"
                )
            found = msgspec.msgpack.decode(body, type=_Stored).population
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise PopulationError(f"this is not a stored population: {error}") from None
        if found.samples and not found.root:
            raise PopulationError("this is not a stored population: it names no operation")
        return cls(root=found.root if found.samples else "", samples=newest_samples(found.samples, options))


class _Version(Struct):
    schema_version: int


class _Stored(Struct, kw_only=True):
    schema_version: int
    population: Population
