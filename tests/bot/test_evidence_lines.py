"""Lines of logs: how bad each is, and which errors and warnings are new around a request."""

from __future__ import annotations

import pytest

from bot.evidence.lines import ERROR, FINE, WARNING, Line, line
from bot.evidence.patterns import Lines, new_patterns
from bot.evidence.question import Question, Request
from bot.evidence.windows import windows


@pytest.mark.parametrize(
    ("known", "text", "level", "message"),
    [
        ({"detected_level": "error"}, "anything", ERROR, "anything"),
        ({"detected_level": "info"}, "no ERROR here", FINE, "no ERROR here"),
        ({"detected_level": "unknown"}, "ERROR pool exhausted", ERROR, "ERROR pool exhausted"),
        ({"severity_text": "WARN"}, "slow", WARNING, "slow"),
        ({"severity_number": "17"}, "failed", ERROR, "failed"),
        ({"severity_number": 13}, "slow", WARNING, "slow"),
        ({}, '{"level":"error","msg":"pool exhausted","pool":"orders"}', ERROR, "pool exhausted"),
        ({}, '{"level":50,"msg":"bunyan"}', ERROR, "bunyan"),
        ({}, '{"severity":"WARNING","message":"slow"}', WARNING, "slow"),
        ({}, '{"level":"info","msg":"error rate is fine"}', FINE, "error rate is fine"),
        ({}, '{"broken json ERROR', ERROR, '{"broken json ERROR'),
        ({}, 'ts=1 level=warn msg="retrying \\"x\\"" n=3', WARNING, 'retrying \\"x\\"'),
        ({}, "2026-11-24 02:24:15,644 ERROR [catalog] boom", ERROR, "2026-11-24 02:24:15,644 ERROR [catalog] boom"),
        ({}, "E1124 02:24:15.644    1 server.go:42] boom", ERROR, "E1124 02:24:15.644    1 server.go:42] boom"),
        ({}, "[warn] deprecated", WARNING, "[warn] deprecated"),
        ({}, "0 errors, all is well", FINE, "0 errors, all is well"),
        ({}, "[" * 50_000, FINE, "[" * 4_000),
        ({}, '{"a":' * 5_000, FINE, ('{"a":' * 5_000)[:4_000]),
    ],
)
def test_levels_and_messages(known, text, level, message) -> None:
    """What the store knows counts first, then JSON, logfmt, klog and words; garbage is a line like any other."""
    read = line("catalog", known, text)
    assert (read.level, read.text) == (level, message)


def some(*texts: str, level: str = ERROR, service: str = "catalog") -> tuple[Line, ...]:
    """Return lines."""
    return tuple(Line(service=service, level=level, text=text) for text in texts)


def timeouts(count: int) -> tuple[Line, ...]:
    """Return lines that say the same with other numbers."""
    return some(*(f"connection 10.0.0.{i} timed out after {i * 7} ms for order {i:032x}" for i in range(count)))


def test_what_is_new_or_much_more_frequent_is_found() -> None:
    """Lines are counted by template, whatever ids they hold; what happens as often on both sides is not told."""
    usual = some(*(f"cache miss for key user:{i}" for i in range(40)), level=WARNING)
    retries = some(*(f"retry {i} of upstream" for i in range(30)))
    a = Lines(around=(*usual, *retries[:5]))
    b = Lines(around=(*usual, *retries, *timeouts(20)))
    found = new_patterns(a, b, apart=True)
    assert [(its.sample[:10], its.baseline, its.suspect) for its in found] == [
        ("retry 0 of", 5, 30),
        ("connection", 0, 20),
    ]


@pytest.mark.parametrize(("before", "after"), [(0, 3), (10, 20), (100, 150)])
def test_what_chance_explains_is_not_told(before, after) -> None:
    """A few lines more, or some of which there were none before, can be chance."""
    assert new_patterns(Lines(around=timeouts(before)), Lines(around=timeouts(after)), apart=True) == ()


def test_one_line_of_the_suspects_own_is_enough() -> None:
    """What the suspect itself logged and the baseline did not is told, also where there is one of it alone."""
    (found,) = new_patterns(Lines(), Lines(own=timeouts(1), around=timeouts(1)), apart=True)
    assert found.own
    assert new_patterns(Lines(own=timeouts(2)), Lines(own=timeouts(1)), apart=True) == ()
    assert new_patterns(Lines(around=timeouts(9)), Lines(own=timeouts(1), around=timeouts(9)), apart=True) == ()


@pytest.mark.parametrize("text", ["", " " * 4_000, "1" * 4_000, "1 2 3", "#"])
def test_lines_of_nothing_but_numbers_are_alike(text) -> None:
    """Lines in which all is variable, or nothing is there, are one kind, however many they are."""
    (found,) = new_patterns(Lines(), Lines(around=some(*[text] * 300)), apart=True)
    assert found.suspect == 300


def test_what_was_cut_off_or_overlaps_is_not_counted() -> None:
    """Of a side of which only the last lines were read nothing can be said to be missing; nor of one time twice."""
    assert new_patterns(Lines(cut=True), Lines(around=timeouts(50)), apart=True) == ()
    assert new_patterns(Lines(), Lines(around=timeouts(50)), apart=False) == ()


def test_samples_hold_no_secrets() -> None:
    """Secrets are found before a line is cut, and in what a template would call the same on every line."""
    secret = "login failed password=hunter2 for jane.doe@example.com card 4111 1111 1111 1111"
    long = "x" * 250 + " token=abcdefghijklmnop1234567890abcdefghijklmnop failed"
    halved = "x" * 270 + " postgres://app:swordfish-swordfish@db/shop"
    found = new_patterns(Lines(), Lines(own=some(secret, long, halved)), apart=True)
    said = " ".join(its.sample for its in found)
    assert "postgres://" in said
    for part in ("hunter2", "jane.doe", "4111", "abcdefghij", "swordfish"):
        assert part not in said


@pytest.mark.parametrize(
    ("gap_s", "seconds", "apart"), [(3600, 122, True), (20, 20, True), (1, 122, False), (-3600, 122, True)]
)
def test_windows_are_as_long_and_never_overlap(gap_s, seconds, apart) -> None:
    """Two windows of one length, with less around the requests where these ran close to each other."""
    start = 1_795_000_000 * 10**9
    a = Request(trace_id="a" * 32, start_ns=start, end_ns=start + 10**9)
    b = Request(trace_id="b" * 32, start_ns=start + gap_s * 10**9, end_ns=start + (gap_s + 2) * 10**9)
    its = windows(Question(subjects=(), services=("s",), baseline=a, suspect=b), 60)
    assert (its.seconds, its.apart) == (seconds, apart)
    if apart:
        first, second = sorted((its.baseline, its.suspect))
        assert first[1] <= second[0]
        assert its.baseline[1] - its.baseline[0] == its.suspect[1] - its.suspect[0]
    assert its.suspect[0] < b.start_ns
    assert its.suspect[1] > b.end_ns
