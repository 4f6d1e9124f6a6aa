"""Numbers for people: short, and never a lie."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.format import change, duration, ratio, share, shorten, timestamp

UNITS = {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9}


@pytest.mark.parametrize(
    ("ns", "said"),
    [
        (1_207_384_000, "1.21 s"),
        (422_967_000, "423 ms"),
        (845_200, "845 µs"),
        (310, "310 ns"),
        (0, "0 ms"),
        (999_999_999, "1.00 s"),
        (9_995_000, "10.0 ms"),
        (-80_000_000, "-80.0 ms"),
        (125_000_000_000, "2 min 05 s"),
        (7_500_000_000_000, "2 h 05 min"),
    ],
)
def test_durations_have_three_digits_and_one_unit(ns, said) -> None:
    """Microseconds are never shown as milliseconds, and nothing is "1000 ms"."""
    assert duration(ns) == said


@given(st.integers(1, 99_000_000_000))
def test_a_duration_reads_back_within_half_a_per_cent(ns) -> None:
    """Rounding to three digits loses no more than that."""
    number, unit = duration(ns).split()
    assert abs(float(number) * UNITS[unit] - ns) <= max(0.006 * ns, 0.5)


@given(st.integers(0, 10**13), st.integers(0, 10**13))
def test_a_longer_duration_never_reads_shorter(one, two) -> None:
    """Formatting keeps the order within a unit."""
    low, high = sorted((one, two))
    a, b = duration(low).split(), duration(high).split()
    if len(a) == len(b) == 2 and a[1] == b[1]:
        assert float(a[0]) <= float(b[0])


@given(st.integers(1, 10**12), st.integers(1, 10**12))
def test_a_part_is_never_all_and_never_nothing(part, more) -> None:
    """A share rounds to 100 % or 0 % only when it is that."""
    said = share(part, part + more)
    assert said not in ("0 %", "100 %")


def test_signs_and_ratios() -> None:
    """A change carries its sign; a ratio is readable at both ends."""
    assert change(5_000_000) == "+5.00 ms"
    assert change(-5_000_000) == "-5.00 ms"
    assert ratio(120, 1300) == "10.8x"
    assert ratio(1, 150) == "150x"
    assert ratio(0, 5) == "new"


@pytest.mark.parametrize("ns", [-1, 10**22])
def test_what_is_no_moment_is_not_written_as_one(ns) -> None:
    """Times before 1970 and after the year 9999 are clocks that are wrong."""
    assert timestamp(ns) == ""


@given(st.text(), st.integers(4, 80))
def test_shortened_text_fits(text, width) -> None:
    """A cut text has at most the width asked for and stays on one line."""
    cut = shorten(text, width)
    assert len(cut) <= width
    assert "\n" not in cut
