"""What must hold for any two traces at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generated import proper_trees, span_graphs
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from analysis import Comparison, compare, render_markdown, render_text
from analysis.comparison import VerdictKind

if TYPE_CHECKING:
    import random

    from analysis import Trace

EXAMPLES = settings(max_examples=250, deadline=None)
any_trace = st.one_of(span_graphs(), proper_trees())


@given(any_trace, any_trace)
@EXAMPLES
def test_contributions_sum_to_the_difference_exactly(a: Trace, b: Trace) -> None:
    """The parts sum to the response-time delta, and each part's pieces to the part, to the nanosecond."""
    result = compare(a, b)
    if result.verdict.kind is not VerdictKind.NOT_COMPARABLE:
        assert sum(c.delta_ns for c in result.contributions) == result.response_time.delta_ns
    for c in result.contributions:
        assert sum(c.parts.values()) == c.delta_ns
        assert c.delta_ns == c.suspect_exposed_ns - c.baseline_exposed_ns


@given(any_trace)
@EXAMPLES
def test_a_trace_compared_with_itself_has_nothing_to_report(a: Trace) -> None:
    """The same trace twice is identical: no cause, no finding, no difference."""
    result = compare(a, a)
    assert result.verdict.kind is VerdictKind.IDENTICAL
    assert result.causes == ()
    assert result.findings == ()
    assert all(c.delta_ns == 0 for c in result.contributions)


@given(any_trace, any_trace)
@EXAMPLES
def test_swapping_the_sides_mirrors_the_differences(a: Trace, b: Trace) -> None:
    """B against A has the negated deltas of A against B, group by group."""
    there, back = compare(a, b), compare(b, a)
    assert back.response_time.delta_ns == -there.response_time.delta_ns
    assert back.completion_time.delta_ns == -there.completion_time.delta_ns
    if there.verdict.kind is not VerdictKind.NOT_COMPARABLE:
        assert sorted(-c.delta_ns for c in back.contributions) == sorted(c.delta_ns for c in there.contributions)


@given(any_trace, any_trace, st.randoms(use_true_random=False))
@EXAMPLES
def test_the_order_of_spans_never_matters(a: Trace, b: Trace, rng: random.Random) -> None:
    """Backends send spans in any order: the answer is the same, byte for byte."""
    shuffled = [list(t.spans) for t in (a, b)]
    for spans in shuffled:
        rng.shuffle(spans)
    c, d = (replace(t, spans=tuple(spans)) for t, spans in zip((a, b), shuffled, strict=True))
    assert compare(a, b).to_json() == compare(c, d).to_json()


@given(any_trace, any_trace)
@EXAMPLES
def test_a_comparison_survives_json_and_every_rendering(a: Trace, b: Trace) -> None:
    """The result can be stored and read back, and text and Markdown never fail on it."""
    result = compare(a, b)
    assert Comparison.from_json(result.to_json()) == result
    assert render_text(result).endswith("\n")
    assert render_markdown(result).startswith("# ")
