"""Populations: reduced, bounded, merged in any order, stored and read back; their typical request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from generated import proper_trees, span_graphs
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from proving import examples

from analysis import DEFAULTS, AnalysisError, Population, PopulationError
from analysis.model import SpanKind
from analysis.population import Sample
from analysis.population.spread import Spread

if TYPE_CHECKING:
    import random

MS = 1_000_000
SMALL = replace(DEFAULTS, population_samples=4, population_paths=3)

numbers = st.integers(0, 50)
sampled = st.builds(
    Sample,
    trace_id=st.sampled_from(["a" * 32, "b" * 32, "c" * 32, "d" * 32, "e" * 32, "f" * 32]),
    started_at_ns=st.integers(0, 9),
    response_ns=numbers,
    partial=st.booleans(),
    groups=st.dictionaries(
        st.sampled_from(["root", "x", "y", "z"]), st.tuples(numbers, numbers, numbers, numbers), max_size=4
    ),
)


@st.composite
def populations(draw: st.DrawFn) -> Population:
    """Populations of one operation with overlapping traces, also different readings of the same one."""
    samples = draw(st.lists(sampled, max_size=7))
    return (
        Population(root="", samples=())
        .merge(Population(root="root", samples=tuple(samples)), SMALL)
        .merge(Population(root="root", samples=tuple(samples)), SMALL)
    )  # merged with itself: in the one order in which populations are kept


def requests(trace, times, *, slow=(), failing=()):
    """Return one request per time (ms) of its query; `slow`, `failing`: indices of odd ones."""
    made = []
    for i, ms in enumerate(times):
        t = trace()
        query = 400 if i in slow else ms
        root = t.span("GET /items", 0, query + 10, kind=SpanKind.SERVER, error=i in failing)
        t.span("SELECT", 5, 5 + query, root, kind=SpanKind.CLIENT)
        made.append(replace(t.build(), trace_id=f"{i + 1:032x}"))
    return made


@given(populations(), populations(), populations())
@examples(50)
def test_merging_takes_any_order_and_grouping(a: Population, b: Population, c: Population) -> None:
    """Sums commute: a + b is b + a, (a + b) + c is a + (b + c), a + a is a, also where samples are dropped."""
    assert a.merge(b, SMALL) == b.merge(a, SMALL)
    assert a.merge(b, SMALL).merge(c, SMALL) == a.merge(b.merge(c, SMALL), SMALL)
    assert a.merge(a, SMALL) == a


@given(populations(), populations())
@examples(50)
def test_a_merged_population_keeps_the_newest_samples(a: Population, b: Population) -> None:
    """Bounded, each trace once, and nothing that is dropped is newer than what stays."""
    merged = a.merge(b, SMALL)
    ids = [s.trace_id for s in merged.samples]
    starts = [s.started_at_ns for s in merged.samples]
    assert len(ids) == len(set(ids)) <= SMALL.population_samples
    assert starts == sorted(starts)
    dropped = [s for s in (*a.samples, *b.samples) if s.trace_id not in ids]
    assert all(s.started_at_ns <= starts[0] for s in dropped)


@given(st.lists(st.one_of(span_graphs(), proper_trees()), max_size=6))
@examples(50)
def test_a_population_survives_being_stored(traces) -> None:
    """Whatever the traces, what is read back equals what was written, and gives the same bytes."""
    traces = [replace(t, trace_id=f"{i:032x}") for i, t in enumerate(traces)]
    population = Population.from_traces(traces)
    stored = population.to_bytes()
    assert Population.from_bytes(stored) == population
    assert Population.from_bytes(stored).to_bytes() == stored


@given(st.lists(proper_trees(), max_size=6), st.randoms(use_true_random=False))
@examples(50)
def test_the_order_of_traces_never_matters(traces, rng: random.Random) -> None:
    """The same traces give the same population, however they come, and the same as merging one by one."""
    traces = [replace(t, trace_id=f"{i:032x}") for i, t in enumerate(traces)]
    population = Population.from_traces(traces)
    rng.shuffle(traces)
    assert Population.from_traces(traces) == population
    merged = Population(root="", samples=())
    for one in traces:
        merged = merged.merge(Population.from_traces([one]))
    assert merged == population


def test_bytes_that_are_no_population_are_refused_with_a_sentence(trace) -> None:
    """Garbage, truncation, wrong types and impossible numbers are each a PopulationError of one line."""
    kept = Population.from_traces(requests(trace, [10] * 3))
    good = kept.to_bytes()
    assert Population.from_bytes(good) == kept
    plain = msgspec.msgpack.decode(good)
    cases = [b"", b"\xc1", b"{}", good[:-1], good + b"\x00", b"\x91" * 100_000, b"\x00" * (33 * 2**20)]
    changes = ({"samples": 3}, {"samples": [["x"]]}, {"root": ""}, {"root": "r" * 65})
    cases += [msgspec.msgpack.encode({**plain, "population": {**plain["population"], **c}}) for c in changes]
    sample = plain["population"]["samples"][0]
    for place, value in ((0, "t" * 65), (2, -1), (4, {"x": [0, -1, 0, 0]}), (4, {"x": "y"})):
        odd = [*sample[:place], value, *sample[place + 1 :]]
        cases.append(msgspec.msgpack.encode({**plain, "population": {**plain["population"], "samples": [odd]}}))
    for body in cases:
        with pytest.raises(PopulationError) as error:
            Population.from_bytes(body)
        assert "\n" not in str(error.value)
        assert isinstance(error.value, AnalysisError)


@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 255))
@examples(50)
def test_mutated_bytes_never_crash(noise: bytes, at: int, byte: int) -> None:
    """Any bytes at all are a population or a PopulationError."""
    sample = Sample("a" * 32, 5, 7, partial=False, groups={"root": (7, 1, 0, 0)})
    body = bytearray(Population(root="root", samples=(sample,)).to_bytes())
    body[at % len(body)] = byte
    for damaged in (noise, bytes(body)):
        try:
            Population.from_bytes(damaged)
        except PopulationError:
            continue


def test_another_schema_version_is_named() -> None:
    """A population written by another release says so, even when its shape is another one."""
    body = msgspec.msgpack.encode({"schema_version": 99, "something": "else"})
    with pytest.raises(PopulationError, match="version 99, this program reads 1: build it again"):
        Population.from_bytes(body)


def test_two_operations_are_not_merged(trace) -> None:
    """Numbers of two operations do not mix; an empty population merges with everything."""
    items = Population.from_traces(requests(trace, [10]))
    t = trace()
    t.span("POST /orders", 0, 5)
    orders = Population.from_traces([t.build()])
    with pytest.raises(PopulationError, match="two different operations"):
        items.merge(orders)
    assert items.merge(Population.from_traces([])) == items == Population.from_traces([]).merge(items)


def test_traces_of_a_rarer_operation_are_left_out(trace) -> None:
    """One population is about one operation, the one that most traces have."""
    t = trace()
    t.span("POST /orders", 0, 5)
    assert len(Population.from_traces([*requests(trace, [10, 10]), t.build()]).samples) == 2


def test_a_trace_of_countless_paths_keeps_those_that_cost_most(trace) -> None:
    """The bound on call paths drops what held the request up least, never the root."""
    t = trace()
    root = t.span("GET /", 0, 1_000)
    for i in range(26):
        t.span(f"call {chr(97 + i)}", 30 * i, 30 * i + i + 1, root)
    population = Population.from_traces([t.build()], SMALL)
    kept = population.samples[0].groups
    assert sorted(exposed // MS for exposed, *_ in kept.values())[:2] == [25, 26]
    assert population.root in kept


def test_what_is_stored_holds_no_text_of_the_traces(trace) -> None:
    """Statements, names and services never reach a store."""
    t = trace()
    attributes = {"db.statement": "SELECT hunter2"}
    t.span("checkout hunter2", 0, 5, service="hunter2", attributes=attributes, resource={"password": "hunter2"})
    assert b"hunter2" not in Population.from_traces([t.build()]).to_bytes()


def test_two_hundred_traces_are_small(trace) -> None:
    """200 traces of 50 call paths are stored in a quarter of a megabyte."""
    made = []
    for number in range(200):
        t = trace()
        root = t.span("GET /", 0, 1_000)
        for i in range(50):
            t.span(f"call {chr(97 + i // 25)} {chr(97 + i % 25)}", 20 * i, 20 * i + 15, root)
        made.append(replace(t.build(), trace_id=f"{number:032x}"))
    assert len(Population.from_traces(made).to_bytes()) < 300_000


def test_the_typical_request_is_the_one_in_the_middle(trace) -> None:
    """Among requests that scatter, the typical one is neither the quickest nor pulled towards the slowest."""
    times = [20, 21, 22, 23, 24, 25, 26]
    population = Population.from_traces(requests(trace, [*times, 900], slow=(7,)))
    assert int(population.typical(), 16) - 1 in (3, 4)


def test_the_typical_request_does_the_usual_work(trace) -> None:
    """A request whose total is usual but whose work is not (another call instead of its own) is not typical."""
    odd = trace()
    root = odd.span("GET /items", 0, 33, kind=SpanKind.SERVER)
    odd.span("recompute", 2, 31, root)
    population = Population.from_traces([odd.build(), *requests(trace, [20, 21, 22, 23, 24, 25, 26])])
    assert population.typical() != odd.trace_id


def test_failing_requests_are_typical_only_when_all_fail(trace) -> None:
    """The healthy minority is preferred; without any, the most usual failure is what there is."""
    times = [20, 20, 20, 20, 50, 51]
    population = Population.from_traces(requests(trace, times, failing=(0, 1, 2, 3)))
    assert int(population.typical(), 16) - 1 in (4, 5)
    assert Population.from_traces(requests(trace, times, failing=range(6))).typical() is not None


def test_an_error_that_most_requests_have_does_not_exclude_them(trace) -> None:
    """A lookup that usually answers "not found" belongs to the typical request."""
    made = []
    for i in range(7):
        t = trace()
        root = t.span("GET /items", 0, 30 if i else 300, kind=SpanKind.SERVER)
        t.span("GET cached", 5, 25, root, error=bool(i))
        made.append(replace(t.build(), trace_id=f"{i + 1:032x}"))
    assert Population.from_traces(made).typical() != f"{1:032x}"


def test_a_half_recorded_request_is_not_typical(trace) -> None:
    """Where a service sent no spans, the trace is no good example of a request."""
    made = []
    for i in range(6):
        t = trace()
        root = t.span("GET /items", 0, 30, kind=SpanKind.SERVER, service="front")
        call = t.span("GET", 5, 25, root, kind=SpanKind.CLIENT, service="front")
        t.span("load", 6, 24, call, kind=SpanKind.SERVER, service="stock")
        built = replace(t.build(), trace_id=f"{i + 1:032x}")
        spans = [s for s in built.spans if i >= 4 or s.span_id != call.span_id]
        made.append(replace(built, spans=tuple(spans)))
    population = Population.from_traces(made)
    assert [s.partial for s in population.samples] == [s.trace_id < f"{5:032x}" for s in population.samples]
    assert int(population.typical(), 16) in (5, 6)


def test_an_empty_population_has_no_typical_request() -> None:
    """Nothing in, nothing out."""
    assert Population.from_traces([]).typical() is None


@given(populations())
@examples(50)
def test_the_typical_request_is_a_member(population: Population) -> None:
    """It can be opened: it is one of the traces, and always the same one."""
    if population.samples:
        assert population.typical() in {s.trace_id for s in population.samples}
        shuffled = Population(root=population.root, samples=tuple(reversed(population.samples)))
        assert shuffled.typical() == population.typical()


@given(st.lists(st.integers(0, 40), min_size=1, max_size=9))
@examples(50)
def test_the_medoid_agrees_with_looking_at_every_pair(values: list[int]) -> None:
    """The sorted sums give the same request as the plain sum of distances to all others."""
    samples = tuple(
        Sample(f"{i:032x}", i, v * MS, partial=False, groups={"root": (v * MS, 1, 0, 0)}) for i, v in enumerate(values)
    )
    plain = min(range(len(values)), key=lambda i: (sum(abs(values[i] - v) for v in values), i))
    assert Population(root="root", samples=samples).typical() == f"{plain:032x}"


@given(st.lists(st.integers(0, 1_000), min_size=1, max_size=30), st.integers(-10, 1_010), st.integers(-10, 1_010))
@examples(50)
def test_percentiles_and_ranks_grow_with_what_they_measure(values: list[int], x: int, y: int) -> None:
    """A larger percentile is no smaller value, a larger value has no smaller rank, and both stay in bounds."""
    spread = Spread.of(values)
    at = [spread.at(percent) for percent in range(0, 101, 5)]
    assert at == sorted(at)
    assert (at[0], at[-1]) == (min(values), max(values))
    low, high = sorted((x, y))
    assert 0 <= spread.rank(low) <= spread.rank(high) <= 100
    assert spread.rank(min(values) - 1) == 0
    assert spread.rank(max(values) + 1) == 100
