"""The critical path: an exact partition of the response time."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import pytest
from generated import proper_trees, span_graphs
from hypothesis import given
from proving import examples

from analysis.critical_path import critical_path
from analysis.options import DEFAULTS
from analysis.repair import repair
from analysis.tree import SpanTree, self_times

if TYPE_CHECKING:
    from analysis.model import Trace

MS = 1_000_000


def exposed(trace: Trace) -> dict[str, float]:
    """Return the exposed milliseconds per span name, of a path without empty pieces."""
    tree = repair(trace, DEFAULTS)
    path = critical_path(tree, DEFAULTS.rounding_ns)
    assert all(start < end for _, start, end in path.segments)
    totals: dict[str, float] = {}
    for span, own in zip(tree.spans, path.exposed, strict=True):
        totals[span.name] = totals.get(span.name, 0) + own / MS
    return totals


def test_touching_siblings_are_sequential(trace) -> None:
    """Children that touch exactly each keep their whole time: 10, 10, and 10 for the parent."""
    t = trace()
    root = t.span("root", 0, 30)
    t.span("one", 0, 10, root)
    t.span("two", 10, 20, root)
    assert exposed(t.build()) == {"root": 10, "one": 10, "two": 10}


def test_only_the_last_to_finish_of_parallel_calls_is_exposed(trace) -> None:
    """Of calls made at once, the one that finished last held the parent up."""
    t = trace()
    root = t.span("root", 0, 100)
    t.span("short", 0, 40, root)
    t.span("long", 0, 90, root)
    assert exposed(t.build()) == {"root": 10, "short": 0, "long": 90}


def test_time_while_a_sibling_still_runs_is_not_the_parents_own(trace) -> None:
    """Before the last call began, the time belongs to the call that was still running."""
    t = trace()
    root = t.span("root", 0, 100)
    t.span("first", 0, 50, root)
    t.span("second", 40, 100, root)
    assert exposed(t.build()) == {"root": 0, "first": 40, "second": 60}


def test_a_wrapper_beside_the_calls_does_not_hide_them(trace) -> None:
    """A span as long as the request, recorded beside the real calls, does not take their time."""
    t = trace()
    root = t.span("root", 0, 100)
    t.span("wrapper", 0, 99, root)
    t.span("one", 0, 50, root)
    t.span("two", 50.3, 100, root)
    got = exposed(t.build())
    assert got["one"] == 50
    assert got["two"] == 49.7
    assert got["wrapper"] < 0.5


def test_overlap_by_rounding_counts_as_sequential(trace) -> None:
    """Two calls that overlap by a microsecond, as whole-microsecond clocks make them, ran one after the other."""
    t = trace()
    root = t.span("root", 0, 20)
    t.span("one", 0, 10.001, root)
    t.span("two", 10, 20, root)
    assert exposed(t.build()) == {"root": 0, "one": 10, "two": 10}


def test_calls_that_outlive_the_wait_count_as_ended_with_it(trace) -> None:
    """Where a wait was cut short, the call that had run the longest by then was what held it up."""
    t = trace()
    root = t.span("root", 0, 30)
    outer = t.span("outer", 0, 20, root)
    t.span("waited", 0, 18, outer)
    t.span("later", 5, 19, outer)
    t.span("last", 10, 30, root)
    assert exposed(t.build()) == {"root": 0, "outer": 0, "waited": 10, "later": 0, "last": 20}


def own_time(trace: Trace, name: str) -> tuple[float, float, float]:
    """Return the exposed milliseconds of a span: before its first child, between children, after its last."""
    tree = repair(trace, DEFAULTS)
    path = critical_path(tree, DEFAULTS.rounding_ns)
    place = next(i for i, span in enumerate(tree.spans) if span.name == name)
    before, after = path.before[place], path.after[place]
    return before / MS, (path.exposed[place] - before - after) / MS, after / MS


def test_own_time_is_told_by_where_it_lies(trace) -> None:
    """Before the first child, between children, after the last: each exactly, and of no other span."""
    t = trace()
    root = t.span("root", 0, 100)
    t.span("one", 7, 20, root)
    two = t.span("two", 31, 60, root)
    t.span("inner", 36, 58, two)
    t.span("three", 60, 83, root)
    made = t.build()
    assert own_time(made, "root") == (7, 11, 17)
    assert own_time(made, "two") == (5, 0, 2)
    assert own_time(made, "one") == (0, 13, 0)
    assert own_time(made, "inner") == (0, 22, 0)


def test_own_time_without_a_child_on_the_path_lies_nowhere(trace) -> None:
    """A child that begins with the parent's end, or ended as it began, divides nothing."""
    for start, end in ((100, 130), (0, 0)):
        t = trace()
        root = t.span("root", 0, 100)
        t.span("beside", start, end, root)
        assert own_time(t.build(), "root") == (0, 100, 0)


def test_own_time_beside_a_running_call_is_that_calls(trace) -> None:
    """While a call still runs, the parent owns nothing, on either side of it."""
    t = trace()
    root = t.span("root", 0, 100)
    t.span("first", 10, 50, root)
    t.span("second", 40, 90, root)
    made = t.build()
    assert exposed(made) == {"root": 20, "first": 30, "second": 50}
    assert own_time(made, "root") == (10, 0, 10)


def test_of_calls_that_end_at_once_the_longer_held_the_parent_up(trace) -> None:
    """Ties never depend on ids or on the order of spans; what outlives the parent is as long as it was."""
    for first, second in (
        ((10, 90), (30, 90)),
        ((30, 90), (10, 90)),
        ((10, 100.5), (10, 101.5)),
        ((10, 101.5), (10, 100.5)),
    ):
        t = trace()
        root = t.span("root", 0, 100)
        longer = max((first, second), key=lambda its: its[1] - its[0])
        for its in (first, second):
            t.span("longer" if its is longer else "shorter", *its, root)
        found = exposed(t.build())
        assert found["shorter"] == 0
        assert found["longer"] == min(longer[1], 100) - longer[0]


def test_a_call_that_took_no_time_changes_nothing(trace) -> None:
    """It owns nothing, and does not part the time of a call that runs on beside it: which of its calls ended last."""
    found = []
    for instants in ((), (238,)):
        t = trace()
        root = t.span("root", 0, 241)
        for at in instants:
            t.span("instant", at, at, root)
        t.span("last", 239, 241, root)
        beside = t.span("beside", 0, 240, root)
        t.span("shorter", 0, 238, beside)
        t.span("longer", 1, 239, beside)
        found.append({name: own for name, own in exposed(t.build()).items() if own})
    assert found[0] == found[1] == {"last": 2, "shorter": 1, "longer": 238}


@pytest.mark.parametrize(
    ("callees", "owned", "lies"),
    [
        # alone: all of both pieces, neither before nor after anything
        ({}, {"long": 40}, (0, 40, 0)),
        # one in each piece: what lies before and after them is added up
        ({"x": (12, 20), "y": (45, 55)}, {"long": 22, "x": 8, "y": 10}, (7, 0, 15)),
        # one that runs on: clipped to both pieces, and nobody's in between
        ({"y": (12, 55)}, {"long": 7, "y": 33}, (2, 0, 5)),
        # one that ended as the second wait began divides nothing of that
        ({"x": (12, 40)}, {"long": 22, "x": 18}, (2, 20, 0)),
    ],
)
def test_a_call_that_is_waited_for_twice_owns_both_times(trace, callees, owned, lies) -> None:
    """Before and after a shorter call beside it, which is walked through as well: its time, and its callees'.

    root      |---------------------------------|
    long         |----------------------|
    beside              |--|
    within              ||
    last                           |------------|
    owner     rrrlllllllbbbblllllll|lastlastlast|
    """
    t = trace()
    root = t.span("root", 0, 100)
    long = t.span("long", 10, 80, root)
    t.span("within", 30, 33, t.span("beside", 30, 40, root))
    t.span("last", 60, 100, root)
    for name, (start, end) in callees.items():
        t.span(name, start, end, long)
    made = t.build()
    assert exposed(made) == {"root": 10, **owned, "beside": 7, "within": 3, "last": 40}
    assert own_time(made, "long") == lies
    assert own_time(made, "root") == (10, 0, 0)


def test_of_calls_that_began_together_the_longer_is_what_ran_on(trace) -> None:
    """Where nothing had ended and two were running since the same moment, the time is the longer one's."""
    t = trace()
    root = t.span("root", 0, 100)
    t.span("longer", 0, 80, root)
    t.span("shorter", 0, 75, root)
    t.span("last", 60, 100, root)
    assert exposed(t.build()) == {"root": 0, "longer": 60, "shorter": 0, "last": 40}


def test_an_overlap_as_long_as_a_rounding_error_is_one(trace) -> None:
    """Up to the rounding of clocks two calls ran one after the other; beyond it the first one ran on."""
    found = []
    for overlap_ns in (DEFAULTS.rounding_ns, DEFAULTS.rounding_ns + 1):
        t = trace()
        root = t.span("root", 0, 20)
        t.span("one", 0, 10 + overlap_ns / MS, root)
        t.span("two", 10, 20, root)
        t.span("before", 1, 2, root)
        found.append(exposed(t.build())["before"])
    assert found == [0, 1]


def test_work_after_the_response_is_not_on_the_path(trace) -> None:
    """A child that outlives every ancestor did not hold the response up."""
    t = trace()
    root = t.span("root", 0, 50)
    t.span("background", 10, 500, root)
    assert exposed(t.build()) == {"root": 50, "background": 0}


def test_a_child_of_a_handler_that_returned_at_once_is_on_the_path(trace) -> None:
    """Callback frameworks end the handler's span at once: its query still held the root up."""
    t = trace()
    root = t.span("root", 0, 100)
    handler = t.span("handler", 1, 1.1, root)
    t.span("query", 1.05, 90, handler)
    got = exposed(t.build())
    assert got["query"] > 88
    assert got["root"] < 12


def test_a_chain_of_100000_spans_is_as_good_as_any(trace) -> None:
    """Depth is no problem: nothing recurses."""
    t = trace()
    above = None
    for depth in range(100_000):
        above = t.span("call", depth * 1e-5, 10 - depth * 1e-5, above)
    assert round(sum(exposed(t.build()).values()), 6) == 10


@given(proper_trees())
@examples(80)
def test_agrees_with_a_slow_independent_implementation(generated: Trace) -> None:
    """The fast walk and a naive one that looks at every child again and again find the same owners."""
    tree = repair(generated, DEFAULTS)
    fast = critical_path(tree, 0).exposed
    slow = critical_path_by_sweep(tree)
    assert fast == slow


@given(span_graphs())
@examples(80)
def test_segments_sum_to_the_root_for_any_span_graph(generated: Trace) -> None:
    """Whatever was sent, the path covers the root's duration exactly, without overlap."""
    tree = repair(generated, DEFAULTS)
    path = critical_path(tree, DEFAULTS.rounding_ns)
    assert sum(path.exposed) == tree.response_ns
    at = tree.starts[tree.root]
    for _, start, end in sorted(path.segments, key=lambda segment: segment[1]):
        assert start == at
        assert start < end or not tree.response_ns
        at = end
    assert at == tree.ends[tree.root]


@given(span_graphs())
@examples(60)
def test_exposed_time_never_exceeds_what_a_span_did_itself(generated: Trace) -> None:
    """Own time on the path is part of the own time of the span."""
    tree = repair(generated, DEFAULTS)
    path = critical_path(tree, 0)
    for own, on_path in zip(self_times(tree)[0], path.exposed, strict=True):
        assert 0 <= on_path <= own


def critical_path_by_sweep(tree: SpanTree) -> list[int]:
    """Compute exposed times nanosecond by nanosecond, backwards, straight from the definition."""
    result = [0] * len(tree.spans)
    stack = [(tree.root, tree.starts[tree.root], tree.ends[tree.root])]
    while stack:
        span, low, high = stack.pop()
        children = [(c, tree.starts[c], min(tree.ends[c], high)) for c in tree.held[span]]
        children = [c for c in children if c[1] < high and c[2] > low]
        owners: list[int] = []  # per nanosecond, latest first; the span itself where no child owns it
        waited_for = None  # the child that the span waited for at this instant
        since = high  # ... until its start
        for t in range(high, low, -1):  # the unit interval (t - 1, t]
            if waited_for is not None and t <= max(since, low):
                waited_for = None
            if waited_for is None:
                finished = [c for c in children if c[2] == t and c[1] < t]
                if finished:
                    waited_for, since, _ = min(finished, key=lambda c: (c[1], -tree.ends[c[0]], tree.spans[c[0]].name))
            owner = waited_for
            if owner is None:
                running = [c for c in children if c[1] < t < c[2]]
                owner = min(running, key=lambda c: (c[1], -c[2], tree.spans[c[0]].name))[0] if running else None
            owners.append(span if owner is None else owner)
        at = high
        for owner, run in groupby(owners):
            length = len(list(run))
            if owner == span:
                result[span] += length
            else:
                stack.append((owner, at - length, at))
            at -= length
    return result
