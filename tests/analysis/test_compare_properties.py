"""What must hold for any two traces at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from generated import any_pair, any_trace, shuffled, under_other_ids
from hypothesis import given
from hypothesis import strategies as st
from proving import examples

from analysis import Comparison, compare, render_markdown, render_text
from analysis.comparison import VerdictKind
from analysis.report import table
from bot.slack import messages
from bot.slack.limits import problems

if TYPE_CHECKING:
    import random

    from analysis import Trace

SLOWER, FASTER, FAILING = VerdictKind.SLOWER, VerdictKind.FASTER, VerdictKind.FAILING
MIRRORED = {
    SLOWER: {FASTER, FAILING},
    FASTER: {SLOWER, FAILING},
    VerdictKind.IDENTICAL: {VerdictKind.IDENTICAL},
    VerdictKind.NOT_COMPARABLE: {VerdictKind.NOT_COMPARABLE},
}


@given(any_pair)
@examples(30)
def test_contributions_sum_to_the_difference_exactly(pair: tuple[Trace, Trace]) -> None:
    """Groups partition both response times; their deltas sum to the delta, and each one's parts to it, to the ns."""
    result = compare(*pair)
    times, groups = result.response_time, result.contributions
    assert sum(c.baseline_exposed_ns for c in groups) == times.baseline_ns
    assert sum(c.suspect_exposed_ns for c in groups) == times.suspect_ns
    assert sum(c.delta_ns for c in groups) == times.delta_ns == times.suspect_ns - times.baseline_ns
    for c in groups:
        assert sum(c.parts.values()) == c.delta_ns == c.suspect_exposed_ns - c.baseline_exposed_ns


@given(any_pair)
@examples(30)
def test_causes_never_claim_more_than_there_is(pair: tuple[Trace, Trace]) -> None:
    """However many causes are named, together they explain no more time than groups gained, or lost."""
    result = compare(*pair)
    after = {f.summary for f in result.findings if f.affects == "completion"}
    claimed = [cause.delta_ns for cause in result.causes if cause.summary not in after]
    deltas = [c.delta_ns for c in result.contributions]
    assert sum(ns for ns in claimed if ns > 0) <= sum(ns for ns in deltas if ns > 0)
    assert sum(ns for ns in claimed if ns < 0) >= sum(ns for ns in deltas if ns < 0)


@given(any_trace)
@examples(20)
def test_a_trace_compared_with_itself_has_nothing_to_report(a: Trace) -> None:
    """The same trace twice is identical: no cause, no finding, no difference."""
    result = compare(a, a)
    assert result.verdict.kind is VerdictKind.IDENTICAL
    assert result.causes == ()
    assert result.findings == ()
    assert all(c.delta_ns == 0 for c in result.contributions)


@given(any_trace)
@examples(20)
def test_the_same_content_under_other_ids_has_nothing_to_report(a: Trace) -> None:
    """A request that went exactly like another one is no news, whatever its ids."""
    result = compare(a, under_other_ids(a))
    assert result.verdict.kind in (VerdictKind.IDENTICAL, VerdictKind.NO_MEANINGFUL_DIFFERENCE)
    assert result.causes == ()
    assert result.findings == ()


@given(any_pair)
@examples(30)
def test_swapping_the_sides_mirrors_the_differences(pair: tuple[Trace, Trace]) -> None:
    """B against A has the negated deltas of A against B, group by group, and the verdict turns round."""
    a, b = pair
    there, back = compare(a, b), compare(b, a)
    assert back.response_time.delta_ns == -there.response_time.delta_ns
    assert back.completion_time.delta_ns == -there.completion_time.delta_ns
    assert sorted(-c.delta_ns for c in back.contributions) == sorted(c.delta_ns for c in there.contributions)
    for one, other in ((there, back), (back, there)):
        kind = one.verdict.kind
        assert other.verdict.kind in MIRRORED.get(kind, {other.verdict.kind})


@given(any_pair, st.randoms(use_true_random=False))
@examples(30)
def test_the_order_of_spans_never_matters(pair: tuple[Trace, Trace], rng: random.Random) -> None:
    """Backends send spans in any order: the answer is the same, byte for byte."""
    a, b = pair
    assert compare(a, b).to_json() == compare(shuffled(a, rng), shuffled(b, rng)).to_json()


@given(any_pair)
@examples(20)
def test_a_comparison_survives_json_and_every_rendering(pair: tuple[Trace, Trace]) -> None:
    """The result can be stored and read back; text, Markdown and Slack messages never fail on it."""
    result = compare(*pair)
    assert Comparison.from_json(result.to_json()) == result
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False)) == json.loads(result.to_json())
    assert render_text(result).endswith("\n")
    assert render_markdown(result).startswith("# ")
    asked = messages.Asked(
        baseline_id=result.baseline.trace_id, suspect_id=result.suspect.trace_id, user_name="alice",
        baseline_source=None, suspect_source=None, payload="{}",
    )  # fmt: skip
    for message in (messages.verdict(result, asked), *messages.thread(result, table(result), asked)):
        assert problems({"text": message.text, "blocks": message.blocks}) == []
