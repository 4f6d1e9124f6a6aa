"""Where the difference went: each pair's change, split into named parts, exactly."""

from __future__ import annotations

import pytest

from analysis import compare
from analysis.attribute import concurrency
from analysis.model import SpanKind
from analysis.operation_key import OperationKeys
from analysis.options import DEFAULTS
from analysis.profile import profile

MS = 1_000_000
CLIENT, SERVER = SpanKind.CLIENT, SpanKind.SERVER

# Spans of one side: name, start, end, parent (its place in the list), and what is not the default; in milliseconds.
ROOT = ("GET /", 0, 100, None)


def parts(trace, before: list[tuple], after: list[tuple]) -> dict[str, dict[str, float]]:
    """Compare two drawn requests; return the named parts per operation, in milliseconds, with nothing left out."""
    sides = []
    for rows in (before, after):
        t, spans = trace(), []
        for name, start, end, parent, *more in rows:
            service, kind = more or ("shop", SpanKind.INTERNAL)
            spans.append(
                t.span(name, start, end, None if parent is None else spans[parent], service=service, kind=kind)
            )
        sides.append(t.build())
    result = compare(*sides)
    assert sum(row.delta_ns for row in result.contributions) == result.response_time.delta_ns
    assert all(sum(row.parts.values()) == row.delta_ns for row in result.contributions)
    assert all(isinstance(ns, int) for row in result.contributions for ns in row.parts.values())
    return {
        row.operation: {name: ns / MS for name, ns in row.parts.items()} for row in result.contributions if row.delta_ns
    }


CASES = {
    "a call that works longer": (
        [ROOT, ("work", 10, 90, 0)],
        [("GET /", 0, 130, None), ("work", 10, 120, 0)],
        {"work": {"own_work": 30}},
    ),
    "a call that is made more often": (
        [ROOT, ("work", 10, 90, 0)],
        [("GET /", 0, 260, None), ("work", 10, 90, 0), ("work", 90, 170, 0), ("work", 170, 250, 0)],
        {"work": {"more_calls": 160}},
    ),
    "more calls that are each slower as well": (
        [("GET /", 0, 40, None), ("work", 10, 20, 0), ("work", 20, 30, 0)],
        [("GET /", 0, 80, None), *(("work", start, start + 15, 0) for start in (10, 25, 40, 55))],
        {"work": {"more_calls": 20, "own_work": 20}},
    ),
    "more calls that are so quick that they explain all of it": (
        [("GET /", 0, 60, None), ("work", 10, 50, 0)],
        [("GET /", 0, 62, None), *(("work", 10 + start, 20.5 + start, 0) for start in (0, 10.5, 21, 31.5))],
        {"work": {"more_calls": 2}},
    ),
    "waiting before, between and after calls": (
        [ROOT, ("one", 10, 40, 0), ("two", 50, 90, 0)],
        [("GET /", 0, 126, None), ("one", 15, 45, 0), ("two", 65, 105, 0)],
        {"GET /": {"gap_before_children": 5, "gap_between_children": 10, "gap_after_children": 11}},
    ),
    "waiting in one place, less of it in another": (
        [ROOT, ("one", 10, 40, 0), ("two", 50, 90, 0)],
        [("GET /", 0, 120, None), ("one", 5, 35, 0), ("two", 45, 85, 0)],
        {"GET /": {"gap_after_children": 20}},
    ),
    "time that the called side never saw": (
        [ROOT, ("call", 10, 90, 0, "shop", CLIENT), ("serve", 20, 80, 1, "stock", SERVER)],
        [("GET /", 0, 150, None), ("call", 10, 140, 0, "shop", CLIENT), ("serve", 45, 105, 1, "stock", SERVER)],
        {"call": {"network": 50}},
    ),
    "the called side works longer": (
        [ROOT, ("call", 10, 90, 0, "shop", CLIENT), ("serve", 20, 80, 1, "stock", SERVER)],
        [("GET /", 0, 150, None), ("call", 10, 140, 0, "shop", CLIENT), ("serve", 20, 130, 1, "stock", SERVER)],
        {"serve": {"own_work": 50}},
    ),
    "siblings that run in turn": (
        [("GET /", 0, 50, None), ("a", 10, 40, 0), ("b", 10, 40, 0), ("c", 10, 40, 0)],
        [("GET /", 0, 110, None), ("a", 10, 40, 0), ("b", 40, 70, 0), ("c", 70, 100, 0)],
        {"lost_parallelism": 60},
    ),
    "siblings that run in turn, with the work below them": (
        [("GET /", 0, 50, None), ("a", 10, 40, 0), ("in a", 10, 40, 1), ("b", 10, 40, 0), ("in b", 10, 40, 3)],
        [("GET /", 0, 80, None), ("a", 10, 40, 0), ("in a", 10, 40, 1), ("b", 40, 70, 0), ("in b", 40, 70, 3)],
        {"lost_parallelism": 30},
    ),
    "what another call had hidden, below a call of its own": (
        [("GET /", 0, 60, None), ("long", 0, 60, 0), ("mid", 0, 50, 0), ("short", 0, 50, 2)],
        [("GET /", 0, 50, None), ("long", 0, 20, 0), ("mid", 0, 50, 0), ("short", 0, 50, 2)],
        {"long": {"own_work": -40, "path_switched": -20}, "short": {"path_switched": 50}},
    ),
    "fewer calls that are slower": (
        [("GET /", 0, 40, None), *(("work", start, start + 10, 0) for start in (0, 10, 20, 30))],
        [("GET /", 0, 60, None), ("work", 0, 30, 0), ("work", 30, 60, 0)],
        {"work": {"own_work": 20}},
    ),
    "fewer calls that are slower, but cost less in all": (
        [("GET /", 0, 40, None), *(("work", start, start + 10, 0) for start in (0, 10, 20, 30))],
        [("GET /", 0, 30, None), ("work", 0, 15, 0), ("work", 15, 30, 0)],
        {"work": {"more_calls": -10}},
    ),
    "more calls of what had cost nothing": (
        [("GET /", 0, 10, None), ("wrap", 0, 10, 0), ("in", 0, 10, 1)],
        [
            ("GET /", 0, 45, None),
            ("wrap", 0, 15, 0),
            ("in", 0, 10, 1),
            ("wrap", 15, 30, 0),
            ("in", 15, 25, 3),
            ("wrap", 30, 45, 0),
            ("in", 30, 40, 5),
        ],
        {"wrap": {"more_calls": 10, "gap_after_children": 5}, "in": {"more_calls": 20}},
    ),
    "siblings that overlap three quarters as much": (
        [("GET /", 0, 50, None), ("a", 10, 40, 0), ("b", 10, 40, 0)],
        [("GET /", 0, 60, None), ("a", 10, 40, 0), ("b", 20, 50, 0)],
        {"a": {"path_switched": -20}, "b": {"lost_parallelism": 30}},
    ),
    "siblings that overlap a little more than that": (
        [("GET /", 0, 50, None), ("a", 10, 40, 0), ("b", 10, 40, 0)],
        [("GET /", 0, 59, None), ("a", 10, 40, 0), ("b", 19, 49, 0)],
        {"a": {"path_switched": -21}, "b": {"path_switched": 30}},
    ),
    "two calls of one operation that run in turn": (
        [("GET /", 0, 50, None), ("work", 10, 40, 0), ("work", 10, 40, 0)],
        [("GET /", 0, 80, None), ("work", 10, 40, 0), ("work", 40, 70, 0)],
        {"work": {"lost_parallelism": 30}},
    ),
    "siblings that run in turn in as many calls more as they did in one": (
        [("GET /", 0, 60, None), ("long", 0, 60, 0), ("short", 0, 40, 0)],
        [("GET /", 0, 60, None), ("long", 0, 20, 0), ("short", 20, 40, 0), ("short", 40, 60, 0)],
        {"long": {"own_work": -40}, "short": {"lost_parallelism": 40}},
    ),
    "what another call had hidden, below a layer that ran beside its log": (
        [
            ("edge", 0, 65, None),
            ("GET /", 0, 60, 0),
            ("log", 0, 55, 0),
            ("long", 0, 60, 1),
            ("mid", 0, 50, 1),
            ("short", 0, 50, 4),
        ],
        [("GET /", 0, 50, None), ("long", 0, 20, 0), ("mid", 0, 50, 0), ("short", 0, 50, 2)],
        {
            "edge": {"removed_calls": -5},
            "long": {"own_work": -40, "path_switched": -20},
            "short": {"path_switched": 50},
        },
    ),
    "a step, which is no call, around what a server does": (
        [ROOT, ("step", 10, 90, 0), ("serve", 20, 80, 1, "stock", SERVER)],
        [("GET /", 0, 150, None), ("step", 10, 140, 0), ("serve", 45, 105, 1, "stock", SERVER)],
        {"step": {"gap_before_children": 25, "gap_after_children": 25}},
    ),
    "two groups of calls that the other side has as one": (
        [
            ("GET /", 0, 80, None),
            ("work", 10, 40, 0),
            ("in", 15, 35, 1),
            ("work", 40, 70, 0, "shop", SpanKind.CONSUMER),
            ("in", 45, 65, 3),
        ],
        [("GET /", 0, 140, None), ("work", 10, 130, 0, "shop", SpanKind.UNSPECIFIED), ("in", 30, 70, 1)],
        {"work": {"gap_before_children": 10, "gap_after_children": 50}},
    ),
    "what another call had hidden": (
        [("GET /", 0, 60, None), ("long", 0, 60, 0), ("short", 0, 50, 0)],
        [("GET /", 0, 50, None), ("long", 0, 20, 0), ("short", 0, 50, 0)],
        {"long": {"own_work": -40, "path_switched": -20}, "short": {"path_switched": 50}},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_change_is_split_into_what_it_consists_of(trace, case) -> None:
    """Each way in which a request can become slower is told by its name, to the nanosecond."""
    before, after, expected = CASES[case]
    found = parts(trace, before, after)
    if all(isinstance(its, dict) for its in expected.values()):
        assert found == expected
    else:  # which of equal siblings is named is of no interest: what they come to is
        totals: dict[str, float] = {}
        for its in found.values():
            for name, ms in its.items():
                totals[name] = totals.get(name, 0) + ms
        assert {name: ms for name, ms in totals.items() if ms} == expected


@pytest.mark.parametrize(
    "case",
    [
        "a call that works longer", "waiting before, between and after calls", "time that the called side never saw",
        "the called side works longer",
    ],
)  # fmt: skip
def test_the_way_back_is_the_same_with_the_other_sign(trace, case) -> None:
    """What became slower in one direction became faster in the other, by the same parts."""
    before, after, expected = CASES[case]
    assert parts(trace, after, before) == {
        operation: {name: -ms for name, ms in its.items()} for operation, its in expected.items()
    }


def test_calls_of_one_side_are_new_or_gone(trace) -> None:
    """An operation that one side lacks is one part, whatever it consists of."""
    without, extra = [("GET /", 0, 40, None)], [ROOT, ("other", 20, 80, 0)]
    assert parts(trace, without, extra)["other"] == {"new_calls": 60}
    assert parts(trace, extra, without)["other"] == {"removed_calls": -60}


def test_fewer_calls_give_back_what_they_cost(trace) -> None:
    """Calls that are not made any more are counted at what one had cost."""
    before = [("GET /", 0, 100, None), *(("work", 10 + 20 * i, 30 + 20 * i, 0) for i in range(4))]
    after = [("GET /", 0, 60, None), *(("work", 10 + 20 * i, 30 + 20 * i, 0) for i in range(2))]
    assert parts(trace, before, after) == {"work": {"more_calls": -40}}


def test_a_side_without_the_servers_spans_tells_no_network(trace) -> None:
    """Only where both sides show the called end can the time between the two be told from its work."""
    before = [ROOT, ("call", 10, 90, 0, "shop", CLIENT)]
    after = [
        ("GET /", 0, 150, None), ("call", 10, 140, 0, "shop", CLIENT), ("serve", 20, 130, 1, "stock", SERVER),
    ]  # fmt: skip
    for found in (parts(trace, before, after), parts(trace, after, before)):
        assert "network" not in found["call"]
        assert abs(sum(found["call"].values())) == 60


NS = 1e-6


@pytest.mark.parametrize(
    ("children", "at_once"),
    [
        ([], 1),
        ([(50, 50)], 1),
        ([(10, 40)], 1),
        ([(10, 40), (40, 70)], 1),
        ([(10, 40), (10, 40), (10, 40)], 3),
        ([(10, 40), (20, 50)], 1.5),
        ([(10, 10 + NS), (10, 10 + NS)], 2),
    ],
)
def test_concurrency_is_how_many_calls_ran_at_once(trace, children, at_once) -> None:
    """On average over the time in which any ran; where none ran, there was nothing to lose."""
    t = trace()
    root = t.span("GET /", 0, 100)
    for number, (start, end) in enumerate(children):
        t.span(f"call {'abc'[number]}", start, end, root)
    group = profile(t.build(), OperationKeys(), DEFAULTS).root
    assert concurrency([group]) == at_once
    assert concurrency([group, group]) == at_once


def test_what_two_groups_come_to_is_told_of_both(trace) -> None:
    """Calls, errors and durations of all that one pair holds."""
    a, b = trace(), trace()
    root = a.span("GET /", 0, 100)
    a.span("work", 10, 40, root, error=True)
    a.span("work", 50, 70, root, kind=SpanKind.CONSUMER, error=True)
    b.span("work", 10, 95, b.span("GET /", 0, 100), kind=SpanKind.UNSPECIFIED)
    (row,) = (row for row in compare(a.build(), b.build()).contributions if row.operation == "work")
    assert (row.baseline_calls, row.baseline_errors, row.baseline_ns) == (2, 2, 50 * MS)
    assert (row.suspect_calls, row.suspect_errors, row.suspect_ns) == (1, 0, 85 * MS)
    assert (row.baseline_exposed_ns, row.suspect_exposed_ns) == (50 * MS, 85 * MS)
