"""The playground's traffic: a recorded request replayed all the time, slow for some since half an hour."""

from __future__ import annotations

import json

import pytest

from analysis import compare_fleets, decode
from bot.playground.trace_api import Samples
from bot.playground.traffic import BEFORE_S, EVERY_S, TROUBLE_S

NOON = 1_795_521_600  # 2026-11-24 12:00 UTC


@pytest.fixture(scope="module")
def traffic():
    """Return traffic that started at noon."""
    return Samples().replay(NOON)


def between(traffic, start: int, end: int, now: int = NOON) -> list[str]:
    """Return the ids of a time."""
    return list(traffic.ids(start * 10**9, end * 10**9, now))


def test_requests_come_at_their_times_under_their_own_ids(traffic) -> None:
    """Every so many seconds one, none before the traffic began, none from the future, the same one each time."""
    ids = between(traffic, NOON - 300, NOON)
    assert len(ids) == len(set(ids)) == 300 // EVERY_S
    starts = [min(span.start_ns for span in decode(traffic.jaeger(its)).spans) for its in ids]
    assert starts == sorted(starts, reverse=True)
    assert all((NOON - 300) * 10**9 <= start < NOON * 10**9 for start in starts)
    assert between(traffic, NOON, NOON + 300) == [f"7eafc0de{NOON // EVERY_S:024x}"]
    assert between(traffic, NOON - 2 * BEFORE_S, NOON - BEFORE_S - EVERY_S) == []
    assert traffic.jaeger(ids[0]) == traffic.jaeger(ids[0])
    assert traffic.jaeger("f" * 32) is None
    spans = json.loads(traffic.jaeger(ids[0]))["data"][0]["spans"]
    assert {span["traceID"] for span in spans} == {ids[0]}


def test_two_windows_of_it_tell_the_slow_query(traffic) -> None:
    """Before and since the trouble: the recorded cause, for about four requests in ten."""
    since = NOON - TROUBLE_S
    windows = [
        [decode(traffic.jaeger(its)) for its in between(traffic, *window)]
        for window in ((since - TROUBLE_S, since), (since, NOON))
    ]
    found = compare_fleets(*windows)
    assert found.verdict.kind.value == "slower"
    cause = found.causes[0]
    assert "SELECT" in cause.operation
    assert 0.3 < cause.time.suspect_above < 0.5


def test_every_start_has_the_same_traffic(traffic) -> None:
    """What the windows show depends on neither day nor second of the start."""

    def durations(started: int) -> list[int]:
        other = Samples().replay(started)
        minute = started // 60 * 60
        ids = between(other, minute - 10 * EVERY_S, minute, started)
        return [max(s.end_ns - s.start_ns for s in decode(other.jaeger(its)).spans) for its in ids]

    assert durations(NOON) == durations(NOON + 86_400 * 31 + 47)
    assert len(set(durations(NOON))) > 7
