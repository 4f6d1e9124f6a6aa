"""What a population adds to a comparison: figures, percentiles, recurrence, and what it takes away."""

from __future__ import annotations

import pytest
from generated import proper_trees, span_graphs
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from proving import examples
from recent_requests import MINUTE, A, B, again, judged, population, request, seen, slow

from analysis import Comparison, Population, Trace, compare, render_markdown, render_text
from analysis.comparison import CauseKind, Confidence, RecurrenceKind, VerdictKind
from analysis.format import short_id
from analysis.model import SpanKind
from analysis.report_population import population_line, standing_lines


def test_a_suspect_and_a_baseline_are_placed_among_recent_requests(trace) -> None:
    """Percentiles of both, figures per group and per cause, and one line that says it."""
    result = judged(trace, population(trace))
    view = seen(result)
    assert (view.traces, view.usual_traces) == (60, 60)
    assert view.suspect_percentile == 100
    assert 20 < view.baseline_percentile < 80
    assert view.baseline_typical
    assert not view.suspect_typical
    query = next(c for c in result.contributions if c.operation == "SELECT")
    assert query.usual is not None
    exposed = query.usual.exposed_ns
    assert 18_000_000 < exposed.p50 < 22_000_000
    assert 0 < exposed.mad < exposed.p50 < exposed.p95 < exposed.p99 < 30_000_000
    assert (query.usual.calls.p50, query.usual.calls.p99, query.usual.presence) == (1, 1, 1)
    standing = result.causes[0].population
    assert standing is not None
    assert (standing.measure, standing.suspect, standing.suspect_percentile) == ("exposed_ns", 220_000_000, 100)
    line = population_line(result)
    assert line.startswith("B is slower than all 60 recent requests; A is typical (")
    for text in (render_text(result), render_markdown(result).replace("\\", "")):
        assert "slower than all 60 recent requests" in " ".join(text.split())
        assert "95th percentile" in text


def test_without_a_population_nothing_is_said_about_one(trace) -> None:
    """No line, no figures, no claim."""
    result = compare(request(trace, 1, trace_id=A), request(trace, 2, query=220, trace_id=B))
    assert result.population is None
    assert population_line(result) == ""
    assert standing_lines(result.causes[0], result) == []
    assert all(c.usual is None for c in result.contributions)
    assert "Population" not in render_text(result) + render_markdown(result)


def test_two_usual_requests_do_not_differ(trace) -> None:
    """A suspect inside normal variation is no difference, with confidence, and both places are said."""
    recent = population(trace, changes={i: {"query": 20.0 + 2 * (i % 10)} for i in range(60)})
    result = judged(trace, recent, query=36)
    assert result.verdict.kind is VerdictKind.NO_MEANINGFUL_DIFFERENCE
    assert result.verdict.confidence is Confidence.HIGH
    assert population_line(result).startswith("both are typical of 60 recent requests (A ")
    assert result.next_steps == ()
    assert "Next steps" not in render_text(result) + render_markdown(result)


def test_what_one_request_in_ten_does_is_no_finding(trace) -> None:
    """A cache miss that healthy requests have as well explains nothing; without a population it would be named."""
    recent = population(trace, changes={i: {"cached": False} for i in range(0, 60, 10)})
    baseline, suspect = request(trace, 5.5, trace_id=A), request(trace, 45.5, cached=False, trace_id=B)
    assert compare(baseline, suspect).findings
    result = compare(baseline, suspect, recent)
    assert result.verdict.kind is VerdictKind.NO_MEANINGFUL_DIFFERENCE
    assert (result.causes, result.findings) == ((), ())


def test_in_a_request_that_is_no_slower_than_others_one_example_is_enough(trace) -> None:
    """A call that a single recent request makes as well is no change where the time is usual too."""
    recent = population(trace, changes={7: {"cached": False, "query": 24.0, "own": 10.0}})
    result = compare(request(trace, 5.5, trace_id=A), request(trace, 45.5, cached=False, trace_id=B), recent)
    assert result.verdict.kind is VerdictKind.NO_MEANINGFUL_DIFFERENCE


def test_a_little_longer_than_the_slowest_is_not_certain(trace) -> None:
    """Of sixty healthy requests one is the slowest, and the next may be slower by chance: less confidence."""
    recent = population(trace, changes={7: {"query": 50.0, "own": 10.0}})
    close, far = judged(trace, recent, query=58), judged(trace, recent, query=90)
    assert (close.verdict.kind, far.verdict.kind) == (VerdictKind.SLOWER, VerdictKind.SLOWER)
    assert (close.verdict.confidence, far.verdict.confidence) == (Confidence.MEDIUM, Confidence.HIGH)
    assert "it takes little longer than the slowest of the recent requests" in close.verdict.reasons


def test_what_no_other_request_does_is_a_finding(trace) -> None:
    """The same call stays a cause where recent requests do not make it."""
    suspect = request(trace, 45.5, cached=False, trace_id=B)
    result = compare(request(trace, 5.5, trace_id=A), suspect, population(trace))
    assert result.causes[0].kind is CauseKind.NEW_CALLS
    assert again(result).kind is RecurrenceKind.ONCE


def test_a_usual_call_that_takes_unusually_long_is_a_finding(trace) -> None:
    """Only with the time that it usually takes a call is nothing new."""
    recent = population(trace, changes={i: {"calls": 2} for i in range(0, 60, 10)})
    assert judged(trace, recent, calls=2, query=200).verdict.kind is VerdictKind.SLOWER


def test_a_suspect_that_is_slower_than_most_is_said_to_be_that(trace) -> None:
    """One of sixty requests takes longer still: nobody is told that none does."""
    result = judged(trace, population(trace, changes=slow([20], query=300)))
    assert population_line(result).startswith("B is slower than 98 % of 60 recent requests; A is typical (")


def test_an_error_that_some_always_had_is_not_the_trouble_that_began(trace) -> None:
    """One in five has failed once all along, and since a moment all fail three times: B, failing once, shows neither."""
    failing = {i: {"error": True} for i in range(0, 30, 5)}
    recent = population(trace, changes=failing | {i: {"error": True, "calls": 3} for i in range(30, 60)})
    root, *others = request(trace, 45.5, query=20, error=True, trace_id=B).spans
    suspect = Trace(trace_id=B, spans=(replace(root, error=True), *others))
    result = compare(request(trace, 5.5, trace_id=A), suspect, recent)
    assert result.verdict.kind is VerdictKind.FAILING
    standing = result.causes[0].population
    assert standing is not None
    assert (standing.measure, standing.baseline, standing.suspect) == ("errors", 0, 1)
    assert standing.recurrence is None


def test_a_cause_without_a_number_has_no_place_among_other_requests(trace) -> None:
    """That a version is another one takes no time by itself: reduced requests cannot tell how usual it is."""
    sides = []
    for version, made in (("1", request(trace, 5.5, trace_id=A)), ("2", request(trace, 45.5, query=220, trace_id=B))):
        resource = replace(made.spans[0].resource, attributes={"service.version": version})
        sides.append(replace(made, spans=tuple(replace(span, resource=resource) for span in made.spans)))
    result = compare(*sides, population(trace))
    (version,) = [cause for cause in result.causes if cause.kind is CauseKind.VERSION_CHANGE]
    assert version.population is None
    assert standing_lines(version, result) == []


def test_a_baseline_that_is_itself_unusual_is_said_and_lowers_the_confidence(trace) -> None:
    """A slow baseline is no example of a healthy request."""
    recent = population(trace)
    baseline, suspect = request(trace, 5.5, query=90, trace_id=A), request(trace, 45.5, query=400, trace_id=B)
    result = compare(baseline, suspect, recent)
    assert result.verdict.kind is VerdictKind.SLOWER
    assert "A is itself unusual, slower than all of 60 requests" in result.verdict.reasons
    assert result.verdict.confidence is Confidence.MEDIUM
    assert judged(trace, recent, query=400).verdict.confidence is Confidence.HIGH
    assert "A is slower than all of them" in population_line(result)
    typical = seen(result).typical_trace_id
    step = next(s.text for s in result.next_steps if s.finding == "unusual-baseline")
    assert step == f"Compare B with {short_id(typical)}, the most typical of 60 requests: A is itself unusual."


def test_a_slow_baseline_is_the_finding_when_the_suspect_is_faster(trace) -> None:
    """An improvement is not doubted for what it says: A was slow, B is as all others."""
    baseline, suspect = request(trace, 5.5, query=400, trace_id=A), request(trace, 45.5, trace_id=B)
    result = compare(baseline, suspect, population(trace))
    assert result.verdict.kind is VerdictKind.FASTER
    assert result.verdict.confidence is Confidence.HIGH
    assert population_line(result).startswith("A is slower than all 60 recent requests; B is typical (")


def test_a_usual_request_with_an_unusual_part_is_quiet_with_less_confidence(trace) -> None:
    """The whole is within what requests show, one part of it is not: no alarm, and no certainty either."""
    recent = population(trace, changes={i: {"own": 50.0} for i in range(0, 60, 4)})
    result = judged(trace, recent, query=50)
    assert result.verdict.kind is VerdictKind.NO_MEANINGFUL_DIFFERENCE
    assert result.verdict.confidence is Confidence.MEDIUM
    assert "though one part of it takes longer than is usual for it" in result.verdict.reasons


def queued(trace, number: float, *, wait: float, trace_id="") -> Trace:
    """Return a request that sends a message, which is taken after `wait` ms."""
    t = trace()
    root = t.span("POST /orders", 0, 30, kind=SpanKind.SERVER)
    send = t.span("send orders", 10, 11, root, kind=SpanKind.PRODUCER)
    t.span("process orders", 11 + wait, 16 + wait, send, kind=SpanKind.CONSUMER, service="mail", follows=True)
    built, shift = t.build(), round(number * MINUTE)
    spans = tuple(replace(s, start_ns=s.start_ns + shift, end_ns=s.end_ns + shift) for s in built.spans)
    return replace(built, trace_id=trace_id or f"{round(number * 100) + 1:032x}", spans=spans)


def test_waiting_in_a_queue_is_judged_as_well(trace) -> None:
    """A message that waits no longer than those of other requests is no finding; a longer wait is, and recurs."""
    usual = Population.from_traces(queued(trace, i, wait=5 + 3 * (i % 20)) for i in range(60))
    late = Population.from_traces(queued(trace, i, wait=10 + i % 5 + (400 if i >= 30 else 0)) for i in range(60))
    baseline = queued(trace, 5.5, wait=5, trace_id=A)
    suspect = queued(trace, 45.5, wait=50, trace_id=B)
    assert compare(baseline, suspect).causes[0].kind is CauseKind.MESSAGING_DELAY
    assert compare(baseline, suspect, usual).verdict.kind is VerdictKind.NO_MEANINGFUL_DIFFERENCE
    result = compare(baseline, queued(trace, 45.5, wait=420, trace_id=B), late)
    standing = result.causes[0].population
    assert standing is not None
    assert (standing.measure, again(result).kind) == ("waited_ns", RecurrenceKind.CONSISTENT)
    assert "usually 12.0 ms" in standing_lines(result.causes[0], result)[0]


@pytest.mark.parametrize(
    ("others", "said"),
    [
        (7, "the population has 7 other traces: 1 more would say what is usual"),
        (1, "the population has 1 other trace: 7 more would say what is usual"),
        (0, "there were no other traces to compare these two with: what is usual is not known"),
    ],
)
def test_too_small_a_population_is_not_used_and_says_what_is_missing(trace, others, said) -> None:
    """The two compared traces do not count as what is usual."""
    recent = population(trace, others).merge(Population.from_traces([request(trace, 45.5, query=220, trace_id=B)]))
    result = judged(trace, recent)
    assert result.population is None
    assert [n.text for n in result.notes if n.code == "population-not-used"] == [said]


def test_a_population_of_another_operation_is_not_used(trace) -> None:
    """Figures of another operation would mislead: a note says so."""
    t = trace()
    t.span("POST /orders", 0, 5)
    other = Population.from_traces([replace(t.build(), trace_id=f"{i:032x}") for i in range(20)])
    result = judged(trace, other)
    assert result.population is None
    assert any("another operation" in n.text for n in result.notes)


def test_the_compared_traces_are_not_part_of_what_is_usual(trace) -> None:
    """A suspect that was fetched with the others does not make itself usual."""
    suspect = request(trace, 45.5, query=220, trace_id=B)
    recent = population(trace).merge(Population.from_traces([suspect]))
    result = compare(request(trace, 5.5, trace_id=A), suspect, recent)
    assert seen(result).traces == 60
    assert result.verdict.kind is VerdictKind.SLOWER


any_trace = st.one_of(span_graphs(), proper_trees())


@given(any_trace, any_trace, st.lists(any_trace, max_size=30))
@examples(15, many=1_000)
def test_any_population_leaves_a_comparison_whole(a: Trace, b: Trace, others: list[Trace]) -> None:
    """Whatever the traces: exact parts, percentiles within bounds, readable by every rendering, stored and read back."""
    recent = Population.from_traces(replace(t, trace_id=f"{i:032x}") for i, t in enumerate([*others, *[b] * 9]))
    result = compare(a, b, recent)
    assert Comparison.from_json(result.to_json()) == result
    assert render_text(result).endswith("\n")
    assert render_markdown(result).startswith("# ")
    if result.verdict.kind is not VerdictKind.NOT_COMPARABLE:
        assert sum(c.delta_ns for c in result.contributions) == result.response_time.delta_ns
    if result.population is not None:
        assert 0 <= result.population.baseline_percentile <= 100
        assert 0 <= result.population.suspect_percentile <= 100
        assert result.population.usual_traces <= result.population.traces
    assert compare(b, b, recent).verdict.kind is VerdictKind.IDENTICAL
