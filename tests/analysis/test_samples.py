"""The engine on recorded traces: what an experienced engineer would say about each pair."""

from __future__ import annotations

import pytest

from analysis import compare, decode
from analysis.comparison import CauseKind, Confidence, VerdictKind

EXPECTED = {
    "n-plus-one": (VerdictKind.SLOWER, "catalog", "SELECT", {CauseKind.MORE_CALLS, CauseKind.NEW_CALLS}),
    "slow-query": (VerdictKind.SLOWER, "catalog", "SELECT", {CauseKind.SELF_TIME_INCREASE}),
    "lost-parallelism": (VerdictKind.SLOWER, "gateway", "GET /api/home", {CauseKind.SERIALISED}),
    "retry-storm": (VerdictKind.SLOWER, "payment", "POST", {CauseKind.RETRY}),
    "payment-timeout": (VerdictKind.FAILING, "payment", "POST", {CauseKind.ERROR}),
    "slow-network": (VerdictKind.SLOWER, "gateway", "GET", {CauseKind.NETWORK}),
    "queue-delay": (VerdictKind.CHANGED, "email-worker", "process order-confirmation", {CauseKind.MESSAGING_DELAY}),
    "swallowed-error": (VerdictKind.FAILING, "recommendation", "GET /recommendations/{product_id}", {CauseKind.ERROR}),
    "new-version": (VerdictKind.SLOWER, "checkout", "POST", {CauseKind.VERSION_CHANGE}),
    "missing-spans": (VerdictKind.SLOWER, "pricing", "POST /price", {CauseKind.SELF_TIME_INCREASE}),
}


def pair(samples, name):
    """Return the two traces of a sample."""
    found = next(sample for sample in samples.pairs if sample.name == name)
    return samples.trace(found.baseline), samples.trace(found.suspect)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_first_cause_is_the_one_that_was_injected(samples, name) -> None:
    """Verdict, service, operation and kind of change are those of the fault that was injected."""
    verdict, service, operation, kinds = EXPECTED[name]
    result = compare(*pair(samples, name))
    first = result.causes[0]
    assert (result.verdict.kind, first.service, first.operation) == (verdict, service, operation)
    assert first.kind in kinds
    assert first.evidence
    assert first.suspect_span_ids
    assert result.next_steps


@pytest.mark.parametrize("name", EXPECTED)
def test_both_wire_forms_give_the_same_verdict(samples, name) -> None:
    """Jaeger JSON and OTLP protobuf of the same traces lead to the same cause."""
    found = next(sample for sample in samples.pairs if sample.name == name)
    one = compare(*(decode(samples.jaeger(i)) for i in (found.baseline, found.suspect)))
    two = compare(*(decode(samples.otlp(i)) for i in (found.baseline, found.suspect)))
    assert one.verdict.kind == two.verdict.kind
    assert [(c.service, c.operation, c.kind) for c in one.causes[:1]] == [
        (c.service, c.operation, c.kind) for c in two.causes[:1]
    ]


def test_traces_of_two_backends_can_be_compared(samples) -> None:
    """A from Jaeger and B from Tempo: formats mix."""
    found = next(sample for sample in samples.pairs if sample.name == "slow-query")
    result = compare(decode(samples.jaeger(found.baseline)), decode(samples.otlp(found.suspect)))
    assert result.causes[0].service == "catalog"


def test_the_founding_case(samples) -> None:
    """The same trace twice in microseconds: identical, seconds said as seconds, no cause, an offer to go on."""
    result = compare(*pair(samples, "same-trace-twice"))
    assert result.verdict.kind is VerdictKind.IDENTICAL
    assert result.causes == ()
    assert "1.20 s of 1.21 s is spent in preprocess-request" in result.verdict.headline
    assert "nothing here explains a spike" in result.verdict.headline
    assert "healthy trace" in result.next_steps[0].text


def test_healthy_requests_are_not_accused(samples) -> None:
    """Two healthy requests of one operation differ by chance: no change is claimed, or hardly sure of it."""
    result = compare(*pair(samples, "healthy"))
    assert result.verdict.kind is VerdictKind.NO_MEANINGFUL_DIFFERENCE


def test_different_operations_are_not_ranked(samples) -> None:
    """Two different requests cannot be compared: said with both names, no cause named."""
    result = compare(*pair(samples, "different-operations"))
    assert result.verdict.kind is VerdictKind.NOT_COMPARABLE
    assert result.verdict.confidence is Confidence.HIGH
    assert "/api/home" in result.verdict.headline
    assert "/api/cart" in result.verdict.headline
    assert result.causes == ()


def test_a_service_that_sent_no_spans_is_named(samples) -> None:
    """A hole in the trace is said, and is not taken for a change of behaviour."""
    result = compare(*pair(samples, "missing-spans"))
    assert any(note.code == "missing-service" and "checkout" in note.text for note in result.notes)


def test_swapping_a_regression_gives_an_improvement(samples) -> None:
    """With the sides exchanged the same cause explains why B is faster."""
    a, b = pair(samples, "slow-query")
    result = compare(b, a)
    assert result.verdict.kind is VerdictKind.FASTER
    assert (result.causes[0].service, result.causes[0].operation) == ("catalog", "SELECT")
    assert result.causes[0].delta_ns < 0
    assert [step.finding for step in result.next_steps] == ["faster"]  # what is quick now is nothing to look into
