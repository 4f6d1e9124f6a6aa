"""Windows: the requests of one operation in one stretch of time, reduced as populations are, with names and values.

    traces -> per request   exposed time, calls and errors by call path (`analysis.population`)
                            which values its attributes had, by call path
              per window    what each call path is called, and what calls it

A stored population has no names and no values: two windows can be compared with it, but what changed is named by the
other window, and no attribute can be said to tell slow requests from the others.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from analysis import semconv
from analysis.findings.errors import reason
from analysis.model import SpanKind
from analysis.operation_key import OperationKey, OperationKeys
from analysis.population import Population, Sample
from analysis.population.sample import call_paths, newest_samples, reduce_profile
from analysis.profile import profile
from analysis.sensitive import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.model import Attributes, Span, Trace
    from analysis.options import CompareOptions
    from analysis.profile import CallGroup, Profile

MAX_VALUE = 120  # characters; longer values are statements, messages and URLs, which differ between any two requests
MAX_PATH = 32  # callers listed for one call path

# What numbers the threads, sockets and libraries of a process, and says nothing of the request.
_NOISE = ("thread.", "process.", "telemetry.", "otel.", "code.", "internal.", "sampler.")
_NOISE_ENDS = (".port", ".pid", "_port", ".timestamp", "trace_id", "span_id", ".time")


def tells(attribute: str) -> bool:
    """Tell whether an attribute may say something of a request, by its name."""
    return not attribute.startswith(_NOISE) and not attribute.endswith(_NOISE_ENDS)


Value = tuple[str, str]  # name and value of an attribute
Values = dict[str, frozenset[Value]]  # by call path
Failure = tuple[str, str, str]  # status, type and message, levelled: `analysis.fingerprint`


class PathName(Struct, frozen=True):
    """What a call path is called: its operation, and the call path of its caller ("" for the root).

    `key`: the operation itself, by which it is known again; None where no trace of it was seen.
    """

    parent: str
    service: str
    operation: str
    kind: SpanKind
    detail: str
    key: OperationKey | None = None


class Observation(Struct, frozen=True):
    """One request of a window."""

    root: str
    sample: Sample
    names: dict[str, PathName]
    values: Values
    failures: dict[str, Failure]


class Window(Struct, frozen=True):
    """The requests of one root operation, oldest first."""

    root: str
    samples: tuple[Sample, ...]
    names: dict[str, PathName]
    values: dict[str, Values]  # by trace id
    left_out: int = 0
    failures: dict[str, Counter[Failure]] = {}  # by call path, how its first failing call failed: of how many requests

    @classmethod
    def of(cls, root: str, observations: Iterable[Observation], options: CompareOptions) -> Window:
        """Collect observations of one root operation, the newest `fleet_traces` of them, in any order."""
        samples: list[Sample] = []
        names: dict[str, PathName] = {}
        values: dict[str, Values] = {}
        failures: dict[str, Counter[Failure]] = {}
        for one in observations:
            samples.append(one.sample)
            for path, how in one.failures.items():
                failures.setdefault(path, Counter())[how] += 1
            for path, name in one.names.items():
                known = names.get(path)
                if known is None or name.operation < known.operation:
                    names[path] = name
            seen = values.setdefault(one.sample.trace_id, one.values)
            if seen is not one.values:  # a trace that came twice: what either reading says
                both = {path: seen.get(path, frozenset()) | one.values.get(path, frozenset()) for path in one.values}
                values[one.sample.trace_id] = {**seen, **both}
        kept = newest_samples(samples, bounds(options))
        ids = {sample.trace_id for sample in kept}
        values = {trace_id: found for trace_id, found in values.items() if trace_id in ids}
        return cls(root, kept, names, values, len(samples) - len(kept), failures)


class Observer:
    """Reduces requests one by one; what they have in common is kept once."""

    def __init__(self, options: CompareOptions) -> None:
        self._options = options
        self._bounds = bounds(options)
        self._redactor = Redactor.of(options)
        self._keys = OperationKeys(self._redactor)
        self._shared: dict[Value, Value] = {}
        self._shared_sets: dict[frozenset[Value], frozenset[Value]] = {}
        self._shared_names: dict[PathName, PathName] = {}

    def observe(self, trace: Trace) -> Observation:
        """Reduce one request."""
        seen = profile(trace, self._keys, self._options)
        root, sample = reduce_profile(seen, self._bounds)
        paths = call_paths(seen)
        names, values, failures = {}, {}, {}
        for group in seen.groups:
            path = paths[id(group)]
            if path not in sample.groups:
                continue
            parent = paths[id(group.parent)] if group.parent is not None else ""
            name = _name(group, parent, seen)
            names[path] = self._shared_names.setdefault(name, name)
            values[path] = self._values(seen.tree.spans[i] for i in group.spans[: self._options.fleet_spans])
            if group.errors:
                failing = next(span for i in group.spans if (span := seen.tree.spans[i]).error)
                failures[path] = reason(failing, self._clean)
        return Observation(root, sample, names, values, failures)

    def _clean(self, text: str) -> str:
        return text if self._redactor is None else self._redactor.text(text)

    def _values(self, spans: Iterable[Span]) -> frozenset[Value]:
        found: set[Value] = set()
        for span in spans:
            found.update(self._telling(span.resource.attributes))
            found.update(self._telling(span.attributes))
            for event in span.events:
                # An evaluation of a flag names it in one attribute and its outcome in another.
                if flag := semconv.first(event.attributes, semconv.FLAG_KEY):
                    variant = semconv.first(event.attributes, semconv.FLAG_VARIANT)
                    if len(flag) <= MAX_VALUE and len(variant) <= MAX_VALUE:  # cut, a secret would not be known as one
                        found.add(self._one(f"feature_flag {flag}", variant))
        values = frozenset(found)
        return self._shared_sets.setdefault(values, values)

    def _telling(self, attributes: Attributes) -> Iterable[Value]:
        for name, value in attributes.items():
            if isinstance(value, (str, bool, int)) and tells(name):
                text = value if isinstance(value, str) else str(value).lower()
                if text and len(text) <= MAX_VALUE and len(name) <= MAX_VALUE:
                    yield self._one(name, text)

    def _one(self, name: str, text: str) -> Value:
        value = (name, text)
        return self._shared.setdefault(value, value)


def bounds(options: CompareOptions) -> CompareOptions:
    """Return the options with which the requests of a window are reduced: more of them than a population keeps."""
    return structs.replace(options, population_samples=options.fleet_traces, population_paths=options.fleet_paths)


def _name(group: CallGroup, parent: str, seen: Profile) -> PathName:
    key = seen.keys[group.key]
    operation = min(seen.tree.spans[i].name for i in group.spans)
    return PathName(parent, key.service, operation, key.kind, key.further, key)


def gather(traces: Iterable[Trace] | Population, options: CompareOptions) -> dict[str, Window]:
    """Reduce the requests of one stretch of time, by root operation."""
    if isinstance(traces, Population):
        kept = newest_samples(traces.samples, bounds(options))
        left_out = len(traces.samples) - len(kept)
        return {traces.root: Window(traces.root, kept, {}, {}, left_out)} if kept else {}
    observer = Observer(options)
    by_root: dict[str, list[Observation]] = {}
    for trace in traces:
        one = observer.observe(trace)
        by_root.setdefault(one.root, []).append(one)
    return {root: Window.of(root, found, options) for root, found in by_root.items()}
