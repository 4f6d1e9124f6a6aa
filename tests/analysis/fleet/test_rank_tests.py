"""The tests behind a comparison of windows agree with counting every possibility."""

from __future__ import annotations

import random
from itertools import combinations
from math import comb
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proving import examples

from analysis.fleet.many import adjusted
from analysis.fleet.ranks import EXACT, rank_test, shift
from analysis.fleet.tables import at_least, fisher, quantile_test

small = st.lists(st.integers(0, 6), min_size=1, max_size=6).map(sorted)
numbers = st.lists(st.integers(-50, 50), min_size=1, max_size=30).map(sorted)


def beats(a, b) -> float:
    """Count how often a value of b is above one of a, ties half: Mann and Whitney's U."""
    return sum((y > x) + (y == x) / 2 for x in a for y in b)


@given(small, small)
@examples(50)
def test_few_values_are_judged_by_every_way_to_share_them_out(a, b) -> None:
    """The probability is the share of all ways to draw B out of both whose U is as far from the middle."""
    both, middle = a + b, len(a) * len(b) / 2
    away = abs(beats(a, b) - middle)
    ways = list(combinations(range(len(both)), len(b)))
    extreme = sum(
        abs(beats([both[i] for i in range(len(both)) if i not in way], [both[i] for i in way]) - middle) >= away
        for way in ways
    )
    assert rank_test(a, b) == pytest.approx(extreme / len(ways))


def test_many_values_are_judged_almost_as_few_are(monkeypatch) -> None:
    """At the border the approximation and the count agree within a fifth, with and without ties."""
    rng = random.Random(3)  # noqa: S311 - samples that repeat
    for ties in (2, 1_000):
        for _ in range(20):
            a = sorted(rng.randrange(10 * ties) // 10 for _ in range(EXACT // 2))
            b = sorted(rng.randrange(10 * ties) // 10 + ties // 5 for _ in range(EXACT // 2))
            counted = rank_test(a, b)
            with monkeypatch.context() as patch:
                patch.setattr("analysis.fleet.ranks.EXACT", 0)
                assert rank_test(a, b) == pytest.approx(counted, rel=0.2, abs=0.002)


@given(numbers, numbers)
@examples(50)
def test_the_shift_is_the_median_of_all_differences(a, b) -> None:
    """Hodges and Lehmann's estimate, within its interval; the other way round everything is mirrored."""
    moved, back = shift(a, b), shift(b, a)
    assert moved.value == int(median(y - x for x in a for y in b))
    assert moved.low <= moved.value <= moved.high
    assert (back.value, back.low, back.high) == (-moved.value, -moved.high, -moved.low)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Of 400 pairs of samples 7 apart, the 95 % interval holds the 7 in 93 to 97.5 per cent."""
    rng = random.Random(5)  # noqa: S311 - samples that repeat
    hits = 0
    for _ in range(400):
        a = sorted(round(rng.lognormvariate(4, 0.5) * 100) for _ in range(40))
        b = sorted(round(rng.lognormvariate(4, 0.5) * 100) + 700 for _ in range(40))
        moved = shift(a, b)
        hits += moved.low <= 700 <= moved.high
    assert 372 <= hits <= 390


@given(st.integers(1, 12), st.integers(1, 12), st.data())
@examples(50)
def test_fisher_counts_tables(n, m, data) -> None:
    """One side: the tables with at least as many; both sides: all that are no more probable."""
    r = data.draw(st.integers(0, n + m))
    k = data.draw(st.integers(max(0, r - n), min(r, m)))
    weights = {i: comb(m, i) * comb(n, r - i) for i in range(max(0, r - n), min(r, m) + 1)}
    whole = comb(n + m, r)
    assert at_least(k, r, m, n + m) == pytest.approx(sum(w for i, w in weights.items() if i >= k) / whole)
    assert fisher(k, r, m, n + m) == pytest.approx(sum(w for w in weights.values() if w <= weights[k]) / whole)


@given(numbers, numbers)
@examples(50)
def test_the_largest_values_are_asked_about_alike_from_both_sides(a, b) -> None:
    """Which window is which makes no difference to whether the largest values are shared out evenly."""
    one, two = (quantile_test(*sides, (0.05, 0.2), 2) for sides in ((a, b), (b, a)))
    assert (one is None) == (two is None)
    if one is not None and two is not None:
        assert one.p == pytest.approx(two.p)


@given(st.permutations(range(10)), st.integers(3, 7))
@examples(30)
def test_a_split_at_any_share_is_counted_out(order, m) -> None:
    """Several shares, one probability: of all ways to draw B, those with so improbable a split at any of them."""
    shares = (0.1, 0.2, 0.4, 0.5)

    def least(way: tuple[int, ...]) -> float:
        a, b = [v for v in range(10) if v not in way], list(way)
        return min(
            min(1.0, 2 * min(at_least(k, r, m, 10), at_least(r - k, r, 10 - m, 10)))
            for r in (1, 2, 4, 5)
            for k in [sum(value >= 10 - r for value in b)]
            if a
        )

    drawn_ = tuple(sorted(order[:m]))
    observed = least(drawn_)
    ways = list(combinations(range(10), m))
    expected = sum(least(way) <= observed * (1 + 1e-6) for way in ways) / len(ways)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analysis.fleet.tables.WORTH_COUNTING", (0.0, 10.0))
        tail = quantile_test(sorted(set(range(10)) - set(drawn_)), list(drawn_), shares, 1)
    assert tail is not None
    assert tail.p == pytest.approx(min(expected, 4 * observed))


def test_one_in_ten_is_found_by_its_tail_and_not_by_its_ranks() -> None:
    """Twenty of two hundred far out: their ranks are hardly moved, the largest values are all theirs."""
    rng = random.Random(1)  # noqa: S311 - samples that repeat
    a = sorted(rng.randrange(1_000) for _ in range(200))
    b = sorted([rng.randrange(1_000) for _ in range(180)] + [rng.randrange(5_000, 6_000) for _ in range(20)])
    tail = quantile_test(a, b, (0.02, 0.05), 6)
    assert tail is not None
    assert tail.p < 1e-4 < rank_test(a, b)


def test_chances_are_adjusted_for_their_number() -> None:
    """Benjamini and Hochberg's own rule: the i-th smallest of m is multiplied by m / i, and none overtakes a larger."""
    assert adjusted([0.04, 0.01, 0.03, 0.9]) == pytest.approx([0.16 / 3, 0.04, 0.16 / 3, 0.9])
    assert adjusted([0.02, 0.02, 0.5]) == pytest.approx([0.03, 0.03, 0.5])
    assert adjusted([]) == []
