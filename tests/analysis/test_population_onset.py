"""Since when: changes at a moment are found, chance and single outliers are not."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from proving import examples

from analysis import DEFAULTS
from analysis.population.onset import onset

FLOOR = 5


def drawn(seed: int, number: int, *, since: int | None = None, share: float = 1.0) -> list[int]:
    """Return times around 100 with a long tail; from `since` on, that share of them is three times as long."""
    rng = random.Random(seed)  # noqa: S311 - test data
    values = [round(100 * rng.lognormvariate(0, 0.15)) for _ in range(number)]
    if since is None:
        return values
    return [v * 3 if i >= since and rng.random() < share else v for i, v in enumerate(values)]


@pytest.mark.parametrize("since", [10, 30, 50])
def test_a_consistent_rise_is_found_where_it_is(since: int) -> None:
    """All later requests are slow: always found, the moment right to a request nearly always, nearly all counted."""
    found = [onset(drawn(seed, 60, since=since), FLOOR, DEFAULTS) for seed in range(50)]
    right = [f for f in found if f is not None and abs(f.index - since) <= 1 and f.above >= 0.9 * f.after]
    assert None not in found
    assert len(right) >= 48


def test_an_intermittent_rise_is_found_too() -> None:
    """Of the later requests 40 % are slow, which hardly moves the ranks: still found nearly always, and counted."""
    found = [onset(drawn(seed, 80, since=40, share=0.4), FLOOR, DEFAULTS) for seed in range(50)]
    hits = [f for f in found if f is not None]
    assert len(hits) >= 45
    assert all(30 <= f.index <= 55 for f in hits)
    assert all(f.above < DEFAULTS.consistent_share * f.after for f in hits)


def test_without_a_change_hardly_any_moment_is_named() -> None:
    """Chance alone names a moment in at most one population of a hundred."""
    named = sum(onset(drawn(seed, 60), FLOOR, DEFAULTS) is not None for seed in range(1_000))
    assert named <= 10


def test_slow_requests_scattered_over_the_whole_time_have_no_moment() -> None:
    """One in ten slow all along: there is nothing that began."""
    named = sum(onset(drawn(seed, 60, since=0, share=0.1), FLOOR, DEFAULTS) is not None for seed in range(300))
    assert named <= 6


def test_a_single_outlier_is_no_change() -> None:
    """One wild request at the end does not make a moment."""
    assert onset([*drawn(1, 59), 100_000], FLOOR, DEFAULTS) is None


def test_a_rise_below_the_floor_is_none() -> None:
    """What is certain and does not matter is not named."""
    values = [100] * 30 + [103] * 30
    assert onset(values, 5, DEFAULTS) is None
    assert onset(values, 2, DEFAULTS) is not None


def test_only_what_is_like_the_suspect_counts() -> None:
    """A small rise is not the one in which the suspect is slow."""
    values = [100] * 30 + [120] * 30
    assert onset(values, FLOOR, DEFAULTS, like=150) is not None
    assert onset(values, FLOOR, DEFAULTS, like=1_000) is None


def test_too_few_requests_name_no_moment() -> None:
    """Below the least number of traces nothing is said, however clear it looks."""
    few = DEFAULTS.onset_traces - 1
    assert onset([1] * (few // 2) + [1_000] * (few - few // 2), FLOOR, DEFAULTS) is None


def test_counts_that_are_mostly_equal_are_judged_as_well() -> None:
    """Calls that nobody made and then everybody makes; ties do not hide the change."""
    found = onset([0] * 30 + [1] * 30, 0.5, DEFAULTS)
    assert found is not None
    assert (found.index, found.above, found.after) == (30, 30, 30)


@given(st.lists(st.integers(0, 1_000), min_size=20, max_size=60), st.integers(1, 50))
@examples(50)
def test_the_unit_does_not_matter(values: list[int], factor: int) -> None:
    """Times in another unit give the same moment: ranks, medians and spreads all scale."""
    one = onset(values, FLOOR, DEFAULTS)
    other = onset([v * factor * 2 for v in values], FLOOR * factor * 2, DEFAULTS)
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        assert (one.index, one.after) == (other.index, other.after)


@given(st.lists(st.integers(0, 1_000), max_size=80))
@examples(50)
def test_what_is_found_is_within_the_values(values: list[int]) -> None:
    """An index inside, at least one request on either side, counts that fit."""
    found = onset(values, FLOOR, replace(DEFAULTS, onset_traces=4, onset_chance=1.0))
    if found is not None:
        assert 0 < found.index < len(values)
        assert 0 < found.above <= found.after == len(values) - found.index
