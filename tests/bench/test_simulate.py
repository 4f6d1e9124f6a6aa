"""The simulator tells the truth about what it simulates."""

from __future__ import annotations

import json
import statistics

import pytest

from analysis import decode
from analysis.model import SpanKind
from bench.simulate.big import big_trace
from bench.simulate.conditions import Conditions, EdgeDelay, Stalls
from bench.simulate.execution import Request, execute
from bench.simulate.faults import FAULTS
from bench.simulate.instrumentation import Recording, record
from bench.simulate.pairs import healthy_traces, make_pair
from bench.simulate.topology import make_world
from bench.simulate.wire import jaeger_json, otlp_json, tree

SEEDS = range(25)


def root_ms(trace):
    root = next(s for s in trace.spans if not s.parent_id)
    return (root.end_ns - root.start_ns) / 1e6


@pytest.mark.parametrize("fault", FAULTS)
def test_a_pair_is_the_same_whenever_it_is_made(fault):
    """The same fault and seed give the same bytes and the same label."""
    made = [make_pair(fault, 4) for _ in range(2)]
    if made[0] is None:
        made = [make_pair(fault, 9) for _ in range(2)]
    if made[0] is not None:
        assert jaeger_json(made[0].suspect) == jaeger_json(made[1].suspect)
        assert jaeger_json(made[0].baseline) == jaeger_json(made[1].baseline)
        assert made[0].label == made[1].label


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_finds_a_place_in_some_system(fault):
    """No fault is dead code: among some systems there is one with a place for it."""
    assert any(make_pair(fault, seed) is not None for seed in range(40))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_waited_for_lies_within_what_waits(seed):
    """An activity runs within its parent, unless nobody waits for it; so do the spans, where clocks are exact."""
    world = make_world(seed)
    root = execute(world, Request(seed))
    recorded = record(world, root, seed)
    for activity in root.walk():
        for child in activity.children:
            if not child.asynchronous:
                assert activity.start <= child.start <= child.end <= activity.end
    exact = all(s.style.resolution_ns == 1 and not s.style.shared_ids for s in world.services)
    by_id = {s.span_id: s for s in recorded.trace.spans}
    kinds = {s.kind for s in recorded.trace.spans}
    for span in recorded.trace.spans if exact and SpanKind.PRODUCER not in kinds else ():
        above = by_id.get(span.parent_id)
        assert above is not None or not span.parent_id
        if above is not None:
            assert above.start_ns <= span.start_ns <= span.end_ns <= above.end_ns


def test_healthy_requests_of_a_system_are_alike():
    """Two healthy requests take about the same time: half of them within 15 %, nearly all within a factor of two."""
    ratios = []
    for seed in range(120):
        a, b = (root_ms(t) for t in healthy_traces(seed, 2))
        ratios.append(max(a, b) / min(a, b))
    assert statistics.median(ratios) < 1.15
    assert sum(r < 2 for r in ratios) > 0.95 * len(ratios)


def test_systems_are_of_many_sizes():
    """The systems range from a few spans to hundreds, and from milliseconds to seconds."""
    traces = [healthy_traces(seed, 1)[0] for seed in range(200)]
    assert min(len(t.spans) for t in traces) <= 5
    assert max(len(t.spans) for t in traces) >= 150
    assert min(map(root_ms, traces)) < 5
    assert max(map(root_ms, traces)) > 1_000


@pytest.mark.parametrize("fault", FAULTS)
def test_labels_point_at_what_is_there(fault):
    """The spans of a label are in the suspect, its names are names of theirs, its services took part."""
    for seed in range(8):
        pair = make_pair(fault, seed)
        if pair is None:
            continue
        spans = {s.span_id: s for s in pair.suspect.spans}
        assert set(pair.label["root_cause_spans_b"]) <= spans.keys()
        if pair.label["regression"] and pair.label["knowable"]:
            both = {s.service for s in (*pair.baseline.spans, *pair.suspect.spans)}
            assert both & set(pair.label["root_cause_service"])
            names = {s.name for s in (*pair.baseline.spans, *pair.suspect.spans)}
            assert set(pair.label["root_cause_operation"]) <= names | {"*"}


def test_a_clear_fault_is_most_of_the_difference():
    """Where a label calls a regression clear, the fault made at least 60 % of it."""
    seen = 0
    for seed in range(30):
        pair = make_pair("slow_statement", seed)
        if pair is not None and pair.label["strength"] == "clear":
            seen += 1
            assert pair.label["effect_ms"] >= 0.6 * pair.label["delta_root_ms"] > 0
            assert root_ms(pair.suspect) >= 1.5 * root_ms(pair.baseline)
    assert seen > 5


def test_a_request_without_conditions_is_the_same_request():
    """Empty conditions change nothing; a delay on one edge adds exactly that where the root waits for it once."""
    world = make_world(3)
    plain = execute(world, Request(5))
    assert execute(world, Request(5), Conditions()).ms == plain.ms
    slower = execute(world, Request(5), Conditions(edges=[EdgeDelay("", "", 10.0, 10.0)]))
    assert slower.ms >= plain.ms + 20


def test_a_stalled_process_goes_on_where_it_stopped():
    """Work takes as much longer as the process stands still meanwhile, and answers are noticed afterwards.

    at    0    10        20    30
          run  | stall   | run
    """
    stalls = Stalls([(10.0, 20.0), (40.0, 45.0)])
    assert stalls.finish(0.0, 5.0) == 5.0
    assert stalls.finish(0.0, 10.0) == 10.0
    assert stalls.finish(5.0, 10.0) == 25.0
    assert stalls.finish(12.0, 1.0) == 21.0
    assert stalls.finish(5.0, 30.0) == 50.0
    assert stalls.wake(15.0) == 20.0
    assert stalls.wake(20.0) == 20.0
    assert stalls.wake(9.9) == 9.9


def test_hidden_services_send_nothing_and_leave_orphans():
    """The spans of a hidden service are missing, those below it stay."""
    for seed in SEEDS:
        world = make_world(seed)
        request = Request(seed)
        whole = record(world, execute(world, request), 1).trace
        middle = [s for s in whole.spans if s.service != world.root.service.name]
        if not middle:
            continue
        hidden = middle[0].service
        partial = record(world, execute(world, request), 1, Recording(hidden=frozenset({hidden}))).trace
        assert hidden not in {s.service for s in partial.spans}
        assert len(partial.spans) == sum(s.service != hidden for s in whole.spans)


@pytest.mark.parametrize("encode", [jaeger_json, otlp_json])
def test_files_decode_to_what_was_simulated(encode):
    """Both wire formats bring back the spans, their names, services, kinds, errors and durations."""
    pair = make_pair("exception", 2)
    trace = decode(encode(pair.suspect))
    rows = {(s.span_id, s.name, s.service, s.kind, s.error, (s.end_ns - s.start_ns) // 1_000) for s in trace.spans}
    wanted = {
        (s.span_id, s.name, s.service, s.kind, s.error, (s.end_ns - s.start_ns) // 1_000) for s in pair.suspect.spans
    }
    assert rows == wanted


def test_trees_show_every_span_once():
    """The readable tree has one line per span and marks the label's spans."""
    pair = make_pair("n_plus_one", 1)
    marked = frozenset(pair.label["root_cause_spans_b"])
    lines = tree(pair.suspect, marked).splitlines()
    assert len(lines) == len(pair.suspect.spans)
    assert sum(line.startswith("*") for line in lines) == len(marked) > 0


def test_big_traces_have_the_size_asked_for():
    """A big trace has exactly the spans asked for, of realistic size; the suspect's 60 queries are among them."""
    a, b = big_trace(2_000, 7), big_trace(2_000, 7, suspect=True)
    spans_a, spans_b = (json.loads(x)["data"][0]["spans"] for x in (a, b))
    assert len(spans_a) == 2_000 - 60
    assert len(spans_b) == 2_000
    assert 650 < len(b) / 2_000 < 900
    assert big_trace(2_000, 7) == a
