"""The word, the sentence and the confidence that two windows come to, where times, errors and causes disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conftest import TraceBuilder
from fleet_windows import wave, window
from msgspec.structs import replace

from analysis import DEFAULTS, compare_fleets, render_fleets, render_fleets_markdown
from analysis.comparison import Confidence, VerdictKind
from analysis.model import SpanKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.model import Trace

MS = 1_000_000


def in_turn(requests: Iterable[list[float]], letter: str) -> list[Trace]:
    """Return requests that take some steps, one after the other, each as long (ms) as given."""
    made = []
    for i, steps in enumerate(requests):
        t = TraceBuilder(trace_id=f"{letter}{i:031x}")
        root = t.span("GET /page", 0, sum(steps) + 2, kind=SpanKind.SERVER)
        at = 1.0
        for number, took in enumerate(steps):
            t.span(f"step {chr(ord('a') + number)}", at, at + took, root)
            at += took
        made.append(t.build())
    return made


def test_requests_that_fail_elsewhere_than_they_are_slow_fail() -> None:
    """A query is slower for all, and the answers of a tenth fail in as much time: the errors outrank the time."""
    slower = window(wave(200, 30))
    for i in range(0, 200, 10):
        root, *others = slower[i].spans
        slower[i] = replace(slower[i], spans=(replace(root, error=True), *others))
    found = compare_fleets(window(wave(200)), slower)
    assert found.verdict.kind is VerdictKind.FAILING
    assert found.verdict.headline.startswith(
        "requests to shop GET /cart fail more often: GET /cart in shop fails in 10 %"
    )
    assert [cause.operation for cause in found.causes] == ["GET /cart", "SELECT price"]


def test_a_change_that_the_response_time_hides_is_a_little_slower() -> None:
    """One step takes longer, another varies by far more than that: the step is told, and that the whole is not."""
    noise = wave(40, 100, 90)
    found = compare_fleets(in_turn(([5, ms] for ms in noise), "a"), in_turn(([8, ms] for ms in reversed(noise)), "b"))
    assert found.response_time is None
    assert found.verdict.kind is VerdictKind.SLOWER
    assert "are a little slower, less than they vary" in found.verdict.headline
    assert found.verdict.confidence is Confidence.MEDIUM
    assert "the response time as a whole varies more than this" in found.verdict.reasons
    (cause,) = found.causes
    assert (cause.operation, cause.share) == ("step a", 0.0)
    assert "of the change" not in render_fleets(found)


def test_a_little_everywhere_is_laid_to_no_group() -> None:
    """Twelve steps that are each a little slower make the request slower; none of them is named, and it says so."""
    before, after = ([[ms] * 12 for ms in wave(40, middle, 0.2)] for middle in (10, 10.5))
    found = compare_fleets(in_turn(before, "a"), in_turn(after, "b"))
    assert found.verdict.kind is VerdictKind.SLOWER
    assert found.causes == ()
    assert found.verdict.confidence is Confidence.LOW
    assert found.verdict.reasons[-1].startswith("no group of spans changed by itself")
    assert found.verdict.headline.endswith("(median 122 ms -> 128 ms, 1.05x)")


def test_causes_that_explain_little_lower_the_confidence() -> None:
    """One step is named for a quarter of the change, the rest is spread too thin: less sure than of a whole cause."""
    before = [[ms] * 12 for ms in wave(40, 10, 0.2)]
    after = [[ms + 1.5, *[ms] * 11] for ms in wave(40, 10.4, 0.2)]
    found = compare_fleets(in_turn(before, "a"), in_turn(after, "b"))
    (cause,) = found.causes
    assert cause.operation == "step a"
    assert 0.25 < cause.share < 0.35
    assert found.verdict.confidence is Confidence.MEDIUM
    assert any("of the change of the mean response time" in reason for reason in found.verdict.reasons)


def test_no_share_of_a_mean_that_stayed_is_claimed() -> None:
    """All but one are slower, and that one makes up for it: they are slower, by no part of a change of the mean."""
    found = compare_fleets(in_turn([[100]] * 12, "a"), in_turn([[105]] * 11 + [[45]], "b"))
    assert found.verdict.kind is VerdictKind.SLOWER
    assert (found.causes[0].time.shift.value, found.causes[0].time.mean_delta) == (5 * MS, 0)
    assert found.causes[0].share == 0
    assert not any("mean response time" in reason for reason in found.verdict.reasons)


def test_equal_times_of_those_that_wait_are_no_change() -> None:
    """Where the requests that wait for a group all wait equally long, their ranks say nothing, however many."""
    found = compare_fleets(*(window([20.0] * 60, calls=lambda i: i % 4 > 0) for _ in "ab"))
    assert found.verdict.kind is VerdictKind.NO_MEANINGFUL_DIFFERENCE
    assert found.causes == ()


def test_what_cannot_be_compared_has_no_table() -> None:
    """The document of windows without a common operation ends with what they hold."""
    document = render_fleets_markdown(compare_fleets(window(wave(20), root="GET /health"), window(wave(20))))
    assert document.startswith("# not comparable\\: window A has 20 traces of GET /health in shop")
    assert "|" not in document


def test_few_requests_that_vary_hide_a_large_change() -> None:
    """No difference is told, nor that there is none: how large a one could hide is said; many groups are summed up."""
    steps = [[ms + k for k in range(30)] for ms in wave(10, 100, 90)]
    found = compare_fleets(in_turn(steps, "a"), in_turn(steps, "b"), replace(DEFAULTS, fleet_chance=0.001))
    assert found.verdict.kind is VerdictKind.NO_MEANINGFUL_DIFFERENCE
    assert found.verdict.confidence is Confidence.LOW
    assert "requests vary so much that a larger change could hide" in found.verdict.reasons
    assert any(reason.startswith("what strikes fewer than 100 % of requests") for reason in found.verdict.reasons)
    assert "other groups: 0 ms" in render_fleets(found)


def test_windows_in_which_spans_are_missing_are_trusted_less() -> None:
    """Traces with holes are counted on both sides; where many have some, the answer is less sure."""
    whole = compare_fleets(window(wave(40)), window(wave(40, 26)))
    sides = []
    for traces in (window(wave(40)), window(wave(40, 26))):
        spans = [
            tuple(span for span in trace.spans if span.name != "POST /price" or span.parent_id) for trace in traces
        ]
        sides.append([
            replace(trace, spans=(*its[:1], *its[2:])) if i % 2 else trace
            for i, (trace, its) in enumerate(zip(traces, spans, strict=True))
        ])  # fmt: skip
    found = compare_fleets(*sides)
    assert found.verdict.confidence is not whole.verdict.confidence
    assert "spans are missing in 50 % of the traces of A, 50 % of B" in found.verdict.reasons
    assert [note.text for note in found.notes if note.code == "partial-traces"] == [
        "window A: spans are missing in 20 traces", "window B: spans are missing in 20 traces",
    ]  # fmt: skip


def test_requests_that_all_take_exactly_as_long_can_work_differently() -> None:
    """Two calls of half the length: the calls are told, and nothing is said of a time that never varies."""
    found = compare_fleets(window([20.0] * 40), window([10.0] * 40, calls=lambda _: 2))
    assert found.verdict.kind is VerdictKind.CHANGED
    assert found.response_time is None
    assert found.causes[0].operation == "SELECT price"
