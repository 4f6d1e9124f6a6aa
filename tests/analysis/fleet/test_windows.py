"""Two windows of requests: what changed, for how many, what they share, and how sure that is."""

from __future__ import annotations

import json
import random

from fleet_windows import wave, window
from generated import hostile_traces, span_graphs
from hypothesis import given
from hypothesis import strategies as st
from msgspec import to_builtins
from msgspec.structs import replace
from proving import examples

from analysis import DEFAULTS, FleetComparison, Population, compare_fleets, render_fleets, render_fleets_markdown
from analysis.comparison import Confidence, VerdictKind
from analysis.fleet.result import Affected
from analysis.model import Event

MS = 1_000_000


def test_a_query_that_is_slower_for_all_is_the_cause() -> None:
    """The callee is named with its shift and interval; its callers, which wait for it, are no causes."""
    found = compare_fleets(window(wave(40)), window(wave(40, 26)))
    assert found.verdict.kind is VerdictKind.SLOWER
    assert found.verdict.confidence is Confidence.HIGH
    (cause,) = found.causes
    assert (cause.service, cause.operation) == ("pricing", "SELECT price")
    assert cause.time is not None
    assert cause.time.affected is Affected.ALL
    assert cause.time.shift.low <= 6 * MS <= cause.time.shift.high
    assert abs(cause.time.shift.value - 6 * MS) < MS / 2
    assert cause.share > 0.99


def test_one_request_in_ten_is_found_though_the_median_is_as_before() -> None:
    """The share of slow requests is said, and exemplars are among them."""
    slow = set(range(0, 200, 10))
    suspect = window([90.0 if i in slow else ms for i, ms in enumerate(wave(200))])
    found = compare_fleets(window(wave(200)), suspect)
    assert found.verdict.kind is VerdictKind.SLOWER
    cause = found.causes[0]
    assert (cause.operation, cause.time.affected) == ("SELECT price", Affected.SOME)
    assert (cause.time.baseline_above, cause.time.suspect_above) == (0, 0.1)
    assert abs(cause.time.suspect_median - cause.time.baseline_median) < MS
    ids = {suspect[i].trace_id for i in slow}
    assert {cause.typical.trace_id, cause.worst.trace_id} <= ids
    assert "10 % of requests" in found.verdict.headline


def test_slow_requests_are_found_though_none_lies_between_them_and_the_others() -> None:
    """Where two in five are far away, the limit lies at the edge of the usual: how far they are counts, not the edge."""
    suspect = [74 + i / 100 if i % 5 < 2 else ms for i, ms in enumerate(wave(60, 4.0, 0.1))]
    cause = compare_fleets(window(wave(60, 4.0, 0.1)), window(suspect)).causes[0]
    assert (cause.operation, cause.time.affected, cause.time.suspect_above) == ("SELECT price", Affected.SOME, 0.4)
    assert cause.time.limit < 4.1 * MS
    shifted = compare_fleets(window(wave(200, 40.0, 0.1)), window(wave(200, 40.08, 0.1)))
    assert shifted.verdict.kind is VerdictKind.NO_MEANINGFUL_DIFFERENCE


def test_requests_that_all_end_at_one_timeout_are_a_part_however_many() -> None:
    """Equal values hide the largest ones: a third that waits for exactly as long is told as a third, not as a shift."""
    for every, share in ((3, 0.3333), (4, 0.25), (10, 0.1)):
        suspect = [1_000.0 if i % every == 0 else ms for i, ms in enumerate(wave(180))]
        cause = compare_fleets(window(wave(180)), window(suspect)).causes[0]
        assert (cause.operation, cause.time.affected, cause.time.suspect_above) == (
            "SELECT price",
            Affected.SOME,
            share,
        )
    everybody = compare_fleets(window([50.0] * 60), window([1_000.0] * 60)).causes[0]
    assert (everybody.time.affected, everybody.time.shift.value) == (Affected.ALL, 950 * MS)


def test_a_small_change_of_all_requests_is_laid_to_what_came_with_the_window() -> None:
    """Slow requests cannot be told one by one: the version that only the slower window has is named."""
    rng = random.Random(8)  # noqa: S311 - samples that repeat
    spread = [rng.lognormvariate(3.0, 0.3) for _ in range(1_200)]
    found = compare_fleets(
        window(spread[:600], resource=lambda i: {"service.version": "1", "host.name": f"n{i % 2}"}),
        window(
            [1.12 * ms for ms in spread[600:]], resource=lambda i: {"service.version": "2", "host.name": f"n{i % 2}"}
        ),
    )
    (told,) = found.causes[0].separators
    assert (told.attribute, told.value, told.slow_share) == ("service.version", "2", 1.0)
    assert told.by_window
    assert "service.version = 2 of pricing in 100 % of the requests of the slower window" in render_fleets(found)


def test_of_a_group_that_some_requests_do_not_wait_for_the_others_are_told() -> None:
    """A quarter waits for nothing there: the others wait longer, and medians and shift are of them."""

    def calls(i: int) -> int:
        return i % 4 > 0

    found = compare_fleets(window(wave(120), calls=calls), window(wave(120, 23), calls=calls))
    change = found.causes[0].time
    assert (change.affected, change.baseline_present, change.suspect_present) == (Affected.PRESENT, 0.75, 0.75)
    assert change.shift.low <= 3 * MS <= change.shift.high
    assert "holds the 75 % of requests that wait for it up 23" in found.causes[0].summary


def evaluated(traces: list, flags: dict[int, dict]) -> list:
    """Return requests whose root records evaluations of flags, by the index of the request."""
    made = []
    for i, one in enumerate(traces):
        root, *others = one.spans
        events = (Event(name="feature_flag.evaluation", time_ns=root.start_ns, attributes=flags.get(i, {})),)
        made.append(replace(one, spans=(replace(root, events=events), *others)))
    return made


def test_the_variant_of_a_flag_that_slow_requests_got_is_named() -> None:
    """A flag is told by its name and its outcome; values too long to be redacted as a whole are not told."""
    slow = range(0, 100, 5)
    flag = {"feature_flag.key": "new_pricing", "feature_flag.result.variant": "on"}
    long = {"feature_flag.key": "new_pricing", "feature_flag.result.variant": "on" * 100}
    times = [70.0 if i in slow else ms for i, ms in enumerate(wave(100))]
    before = window(wave(100))
    (told,) = compare_fleets(before, evaluated(window(times), dict.fromkeys(slow, flag))).causes[0].separators
    assert (told.attribute, told.value, told.slow_share) == ("feature_flag new_pricing", "on", 1.0)
    assert compare_fleets(before, evaluated(window(times), dict.fromkeys(slow, long))).causes[0].separators == ()


def test_a_trace_that_came_twice_has_the_values_of_both_readings() -> None:
    """Each reading misses what the other has seen: together they name the host, and the trace counts once."""
    slow = range(0, 100, 5)
    place = {"host.name": "n7"}
    times = [70.0 if i in slow else ms for i, ms in enumerate(wave(100))]
    suspect = window(times, resource=lambda i: place if i in slow else {"host.name": "n1"})
    bare = [
        replace(one, spans=tuple(replace(s, resource=replace(s.resource, attributes={})) for s in one.spans))
        for one in suspect
    ]
    for order in (bare + suspect, suspect + bare):
        found = compare_fleets(window(wave(100)), order)
        assert (found.suspect.traces, found.suspect.left_out) == (100, 100)
        told = found.causes[0].separators[0]
        assert (told.attribute, told.value) == ("host.name", "n7")


def test_call_paths_beyond_what_is_kept_are_left_out_of_everything() -> None:
    """The groups that hold a request up least are dropped with their names: the cause among the others is found."""
    found = compare_fleets(window(wave(40)), window(wave(40, 30)), replace(DEFAULTS, fleet_paths=2))
    assert {one.operation for one in found.paths} == {"GET /cart", "SELECT price"}
    assert [cause.operation for cause in found.causes] == ["SELECT price"]


def test_repeated_calls_are_told_as_calls() -> None:
    """Three queries where there was one: the cause says so, with the time that they make."""
    found = compare_fleets(window(wave(40)), window(wave(40), calls=lambda _: 3))
    (cause,) = found.causes
    assert cause.calls is not None
    assert (cause.calls.baseline_median, cause.calls.suspect_median) == (1, 3)
    assert "is called 3 times instead of 1" in cause.summary
    assert cause.share > 0.99


def test_errors_are_traced_to_the_call_that_fails_first() -> None:
    """Four callers fail with the query: one cause, the others follow from it; new errors outrank times."""
    found = compare_fleets(window(wave(200)), window(wave(200), failing=lambda i: i % 12 == 0))
    assert found.verdict.kind is VerdictKind.FAILING
    (cause,) = found.causes
    assert cause.operation == "SELECT price"
    assert len(cause.symptoms) == 3
    assert (cause.errors.baseline_above, cause.errors.suspect_above) == (0, 0.085)
    assert found.suspect.failing == 17


def test_the_same_requests_on_both_sides_say_nothing() -> None:
    """Identical windows are called that; the same times under other ids differ in nothing."""
    one = window(wave(40))
    same = compare_fleets(one, one)
    assert same.verdict.kind is VerdictKind.IDENTICAL
    assert same.causes == ()
    again = compare_fleets(one, window(wave(40)))
    assert again.verdict.kind is VerdictKind.NO_MEANINGFUL_DIFFERENCE
    assert again.causes == ()
    assert any("could not be told from chance" in reason for reason in again.verdict.reasons)


def test_few_traces_are_not_judged() -> None:
    """How many are there, and how many more are needed, is said; no traces at all as well."""
    few = compare_fleets(window(wave(40)), window(wave(4)))
    assert few.verdict.kind is VerdictKind.NOT_COMPARABLE
    assert "window B has 4 traces of shop GET /cart: 6 more are needed" in few.verdict.headline
    none = compare_fleets([], [])
    assert none.verdict.headline == "not comparable: window A has no trace; window B has no trace"
    assert render_fleets(none)


def test_of_several_operations_the_common_one_is_compared() -> None:
    """The others are counted as left out; nothing in common is not comparable."""
    other = window(wave(30), root="GET /health")
    found = compare_fleets(window(wave(20)) + other, window(wave(20, 30)))
    assert (found.operation, found.baseline.traces, found.baseline.left_out) == ("GET /cart", 20, 30)
    assert any("30 traces left out" in note.text for note in found.notes)
    assert compare_fleets(other, window(wave(20))).verdict.kind is VerdictKind.NOT_COMPARABLE


def test_stored_populations_are_windows_too() -> None:
    """A population knows no names: the other window names what changed; two of them name call paths."""
    before, after = window(wave(40)), window(wave(40, 30))
    half = compare_fleets(Population.from_traces(before), after)
    assert half.causes[0].operation == "SELECT price"
    assert any(note.code == "no-attributes" for note in half.notes)
    both = compare_fleets(Population.from_traces(before), Population.from_traces(after))
    assert both.verdict.kind is VerdictKind.SLOWER
    assert both.causes[0].operation.startswith("call path ")
    assert both.causes[0].time == half.causes[0].time


def test_secrets_are_not_told() -> None:
    """Names of spans and values of attributes are redacted wherever they are said."""
    found = compare_fleets(
        window(wave(40), root="GET /login?token=9f8b3c2a77"),
        window(wave(40, 60), root="GET /login?token=9f8b3c2a77", attributes=lambda _: {"app.api_key": "hunter2"}),
    )
    told = json.dumps(found.to_dict()) + render_fleets(found)
    assert "hunter2" not in told
    assert "9f8b3c2a77" not in told
    assert found.causes[0].separators[0].value == "[redacted]"


def test_a_comparison_survives_being_stored() -> None:
    """JSON of it gives it back, and is the same bytes each time."""
    found = compare_fleets(window(wave(40)), window(wave(40, 30)))
    assert FleetComparison.from_json(found.to_json()) == found
    assert json.loads(found.to_json()) == json.loads(json.dumps(found.to_dict()))


@given(st.lists(st.one_of(span_graphs(), hostile_traces()), min_size=1, max_size=6), st.integers(2, 5))
@examples(10, many=1_000)
def test_whatever_was_sent_is_compared(traces, copies) -> None:
    """Odd graphs, times and attributes of any kind: an answer that can be stored and read, never a traceback."""
    options = replace(DEFAULTS, fleet_min=2)
    a = [replace(trace, trace_id=f"{i:032x}") for i, trace in enumerate(traces * copies)]
    b = [replace(trace, trace_id=f"b{i:031x}") for i, trace in enumerate(traces[:2] * copies)]
    found = compare_fleets(a, b, options)
    assert FleetComparison.from_json(found.to_json()) == found
    assert render_fleets(found).endswith("\n")
    assert render_fleets_markdown(found).startswith("# ")
    twins = [replace(trace, trace_id=f"c{trace.trace_id[1:]}") for trace in a]
    assert compare_fleets(a, twins, options).verdict.kind in (
        VerdictKind.NO_MEANINGFUL_DIFFERENCE, VerdictKind.NOT_COMPARABLE, VerdictKind.IDENTICAL,
    )  # fmt: skip


times = st.lists(st.sampled_from([5.0, 6.0, 7.0, 8.0, 9.0, 30.0]), min_size=12, max_size=24)


def mirrored(found: FleetComparison) -> dict:
    """Return what a comparison says with the sides exchanged: numbers only, without words."""
    told = {"slower": "faster", "faster": "slower"}
    changes = []
    for cause in found.causes:
        for change in (cause.time, cause.calls):
            if change is not None:
                row = to_builtins(change)
                row["mean_delta"] *= -1
                row["shift"] = {"value": -change.shift.value, "low": -change.shift.high, "high": -change.shift.low}
                for name in ("median", "mean", "present", "above", "above_median"):
                    row[f"baseline_{name}"], row[f"suspect_{name}"] = row[f"suspect_{name}"], row[f"baseline_{name}"]
                changes.append((cause.path, row))
    return {
        "kind": told.get(found.verdict.kind.value, found.verdict.kind.value),
        "changes": changes,
        "windows": (to_builtins(found.suspect), to_builtins(found.baseline)),
        "paths": {one.path: -one.delta_ns for one in found.paths},
    }


def said(found: FleetComparison) -> dict:
    """Return the same of a comparison as it is."""
    return {
        "kind": found.verdict.kind.value,
        "changes": [(cause.path, to_builtins(c)) for cause in found.causes for c in (cause.time, cause.calls) if c],
        "windows": (to_builtins(found.baseline), to_builtins(found.suspect)),
        "paths": {one.path: one.delta_ns for one in found.paths},
    }


@given(st.data())
@examples(10, many=1_000)
def test_swapping_the_windows_mirrors_the_answer(data: st.DataObject) -> None:
    """Every sign turns round, every number of A is one of B, and nothing else changes."""
    counts = st.sampled_from([(lambda _: 1), (lambda _: 2), (lambda i: 1 + i % 2)])
    a = window(data.draw(times), calls=data.draw(counts))
    b = window(data.draw(times), calls=data.draw(counts))
    assert mirrored(compare_fleets(b, a)) == said(compare_fleets(a, b))


@given(times, times, st.randoms(use_true_random=False))
@examples(10, many=1_000)
def test_the_order_of_traces_never_matters(a, b, rng: random.Random) -> None:
    """Shuffled windows give the same bytes."""
    one, two = window(a), window(b, attributes=lambda i: {"tenant": f"t{i % 2}"})
    expected = compare_fleets(one, two).to_json()
    rng.shuffle(one)
    rng.shuffle(two)
    assert compare_fleets(one, two).to_json() == expected


@given(times, times)
@examples(10, many=1_000)
def test_the_parts_sum_to_the_whole(a, b) -> None:
    """The changes of the mean exposed times add up to the change of the mean response time."""
    found = compare_fleets(window(a), window(b))
    if found.paths:
        mean = 2 + 8 + sum(b) / len(b) - (2 + 8 + sum(a) / len(a))
        assert abs(sum(one.delta_ns for one in found.paths) - mean * MS) < 5


def test_the_newest_traces_are_kept() -> None:
    """Of more traces than a window keeps, the older ones are left out and counted."""
    options = replace(DEFAULTS, fleet_traces=20)
    found = compare_fleets(window(wave(30)), window(wave(20)), options)
    assert (found.baseline.traces, found.baseline.left_out) == (20, 10)
