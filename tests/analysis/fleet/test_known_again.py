"""Fingerprints of causes of two windows: the same as of two traces where both say the same, and as of other windows."""

from __future__ import annotations

import pytest
from fleet_windows import wave, window
from msgspec.structs import replace

from analysis import FleetComparison, Population, Trace, compare, compare_fleets
from analysis.comparison import VerdictKind

USUAL = wave(40)
TROUBLE = {
    "a slower query": (window(USUAL), window(wave(40, 90))),
    "a quicker query": (window(wave(40, 90)), window(USUAL)),
    "one slower in ten": (window(wave(200)), window([90.0 if i % 10 == 0 else ms for i, ms in enumerate(wave(200))])),
    "errors": (window(USUAL), window(USUAL, failing=lambda i: i % 4 == 0)),
    "repeated calls": (window(USUAL), window(USUAL, calls=lambda _: 9)),
    "new calls": (window(USUAL, calls=lambda _: 0), window(USUAL)),
}


def first(a: list[Trace], b: list[Trace]) -> str:
    """Return the fingerprint of the headline cause."""
    return compare_fleets(a, b).causes[0].fingerprint


@pytest.mark.parametrize("story", TROUBLE)
def test_two_windows_and_two_of_their_requests_name_the_same_cause(story) -> None:
    """A typical request of A and one that shows the cause have the fingerprint that both windows have."""
    a, b = TROUBLE[story]
    found = compare_fleets(a, b)
    cause = found.causes[0]
    shows = next(trace for trace in (*a, *b) if trace.trace_id == cause.typical.trace_id)
    usual = next(trace for trace in a if trace.trace_id == found.baseline.typical.trace_id)
    faster = found.verdict.kind is VerdictKind.FASTER
    sides = (shows, next(trace for trace in b if trace.trace_id == found.suspect.typical.trace_id))
    pair = compare(*(sides if faster else (usual, shows)))
    assert pair.verdict.kind is found.verdict.kind
    assert cause.fingerprint.startswith("1-")
    assert pair.causes[0].fingerprint == cause.fingerprint


def test_tomorrow_by_another_amount_it_is_the_same_cause() -> None:
    """For all or for some, by much or by little; the other direction and other troubles are others."""
    known = {story: first(*sides) for story, sides in TROUBLE.items()}
    assert first(window(wave(60)), window(wave(60, 31))) == known["a slower query"] == known["one slower in ten"]
    assert len(set(known.values())) == len(TROUBLE) - 1


def failing(message: str, *, less: bool = False) -> str:
    """Return the fingerprint of a fifth of the requests failing with a message, or failing no more."""
    good, bad = window(USUAL), window(USUAL, failing=lambda i: i % 5 == 0)
    bad = [
        replace(trace, spans=tuple(replace(s, status_message=message if s.error else "") for s in trace.spans))
        for trace in bad
    ]
    return first(bad, good) if less else first(good, bad)


def test_errors_are_told_apart_by_what_most_of_them_say() -> None:
    """Without ids, hosts and amounts; an error that is gone is not one that came."""
    assert failing("no answer from 10.0.0.3 after 1200ms") == failing("no answer from 10.9.1.7 after 3ms")
    assert failing("no answer from 10.0.0.3 after 1200ms") != failing("no such table")
    assert failing("no such table") != failing("no such table", less=True)
    assert failing("no account for alice@example.com") == failing("no account for bob@example.org")


def test_a_stored_population_names_no_cause_that_could_come_back() -> None:
    """Without any trace of it nothing is known of a call path; with one window of traces it is."""
    a, b = TROUBLE["a slower query"]
    stored = [Population.from_traces(side) for side in (a, b)]
    assert first(*stored) == ""
    assert first(stored[0], b) == first(a, b)


def test_the_fingerprint_is_stored_with_its_cause() -> None:
    """It is read back, also from what was stored before causes of windows had one."""
    found = compare_fleets(*TROUBLE["a slower query"])
    assert FleetComparison.from_json(found.to_json()) == found
    body = found.to_json().replace(b',"fingerprint":"' + found.causes[0].fingerprint.encode() + b'"', b"")
    assert b"fingerprint" not in body
    assert FleetComparison.from_json(body).causes[0].fingerprint == ""
