"""Whether other requests show what a suspect shows, and since when."""

from __future__ import annotations

import pytest
from recent_requests import MINUTE, A, B, again, judged, population, request, seen, slow

from analysis import compare
from analysis.comparison import CauseKind, Confidence, RecurrenceKind, VerdictKind
from analysis.report_population import population_line, recurrence_line, standing_lines


@pytest.mark.parametrize(
    ("indices", "kind", "since", "said"),
    [
        (range(30, 60), RecurrenceKind.CONSISTENT, 30, "consistent since 11:"),
        (range(30, 60, 2), RecurrenceKind.INTERMITTENT, 30, "intermittent since 11:"),
        ((), RecurrenceKind.ONCE, None, "none of 60 recent requests shows it: so far only B does"),
    ],
)
def test_whether_others_are_slow_too_and_since_when(trace, indices, kind, since, said) -> None:
    """All since a moment, half of them since a moment, none: each is told apart, with the moment."""
    result = judged(trace, population(trace, changes=slow(indices)))
    found = again(result)
    assert result.verdict.kind is VerdictKind.SLOWER
    assert found.kind is kind
    assert seen(result).recurrence == found
    assert seen(result).consistent is (kind is RecurrenceKind.CONSISTENT)
    if since is not None:
        assert abs(found.above - len(indices)) <= 1
        assert abs(found.since_ns - request(trace, since).spans[0].start_ns) <= MINUTE
        assert found.since.endswith("Z")
    assert recurrence_line(result.causes[0].population, result).startswith(said)


def test_an_incident_does_not_become_its_own_norm(trace) -> None:
    """Half of the population is as slow as the suspect: what is usual comes from the time before."""
    result = judged(trace, population(trace, changes=slow(range(30, 60))))
    view = seen(result)
    assert (view.change, view.usual_traces, view.traces) == ("slower", 30, 60)
    assert view.response.p99 < 60_000_000
    assert population_line(result).startswith("B is slower than all 30 requests from before 11:")
    assert int(view.typical_trace_id, 16) <= 3_000


def test_an_incident_that_is_over_does_not_set_the_norm(trace) -> None:
    """The population begins in the incident and ends healthy: the later part is what is usual."""
    result = judged(trace, population(trace, changes=slow(range(25))), at=10.5)
    view = seen(result)
    assert (view.change, view.usual_traces) == ("faster", 35)
    assert result.verdict.kind is VerdictKind.SLOWER
    assert "35 requests since 11:" in population_line(result)


def test_a_population_that_is_slow_throughout_against_a_baseline_from_before(trace) -> None:
    """All recent requests are like the suspect, and the healthy one is older: slower, and consistently so."""
    recent = population(trace, changes=slow(range(60)))
    result = compare(request(trace, -60, trace_id=A), request(trace, 45.5, query=220, trace_id=B), recent)
    assert result.verdict.kind is VerdictKind.SLOWER
    assert again(result).kind is RecurrenceKind.CONSISTENT
    assert (again(result).above, again(result).of) == (60, 60)
    assert population_line(result).startswith(
        "all 60 recent requests are from after A and slower than it; B is typical"
    )
    assert recurrence_line(result.causes[0].population, result) == "consistent: 60 of 60 recent requests show it"


def test_trouble_that_comes_and_goes_is_no_normal_variation(trace) -> None:
    """Six of sixty requests are as slow as the suspect, all along: it is slow all the same, and they are counted."""
    result = judged(trace, population(trace, changes=slow(range(5, 60, 10), query=240)))
    assert result.verdict.kind is VerdictKind.SLOWER
    assert result.verdict.confidence is Confidence.MEDIUM
    assert "6 of 60 other requests take as long: the trouble comes and goes" in result.verdict.reasons
    assert (again(result).kind, again(result).above, again(result).since) == (RecurrenceKind.INTERMITTENT, 6, "")
    assert recurrence_line(result.causes[0].population, result) == (
        "intermittent: 6 of 60 recent requests show it, at any time"
    )


def test_a_call_that_makes_some_requests_slow_is_their_cause(trace) -> None:
    """Six of sixty requests repeat a query 15 times and are slow: common or not, that is why the suspect is slow."""
    recent = population(trace, changes={i: {"calls": 15} for i in range(5, 60, 10)})
    result = judged(trace, recent, query=20, calls=15)
    assert result.verdict.kind is VerdictKind.SLOWER
    assert result.causes[0].kind is CauseKind.MORE_CALLS
    assert again(result).kind is RecurrenceKind.INTERMITTENT


def test_too_few_traces_say_what_would_settle_it(trace) -> None:
    """Some are slow, but they are too few to tell since when: how many more would."""
    result = judged(trace, population(trace, 14, changes=slow((3, 12))), at=13.5, query=300)
    found = again(result)
    assert (found.kind, found.above, found.of, found.needed) == (RecurrenceKind.UNSETTLED, 2, 14, 6)
    assert seen(result).consistent is None
    assert recurrence_line(result.causes[0].population, result) == (
        "2 of 14 recent requests show it; 6 more traces would tell since when"
    )


def test_only_earlier_requests_cannot_tell_whether_it_goes_on(trace) -> None:
    """All of the population is older than the suspect: what would tell is said."""
    result = judged(trace, population(trace), at=90)
    assert again(result).kind is RecurrenceKind.UNSETTLED
    assert recurrence_line(result.causes[0].population, result) == (
        "none of 60 other requests shows it; 8 more traces from after B would tell whether it goes on"
    )


def test_errors_are_looked_for_in_other_requests_too(trace) -> None:
    """A failing call recurs when others fail there, whatever their times."""
    recent = population(trace, changes={i: {"error": True} for i in range(30, 60)})
    result = judged(trace, recent, query=20, error=True)
    assert result.verdict.kind is VerdictKind.FAILING
    standing = result.causes[0].population
    assert standing is not None
    assert standing.measure == "errors"
    assert standing_lines(result.causes[0], result)[0].startswith("usually no error")
    assert again(result).kind is RecurrenceKind.CONSISTENT
