"""Where the difference went: each pair's change, split into named parts, exactly."""

from __future__ import annotations

import pytest

from analysis import compare
from analysis.model import SpanKind

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
