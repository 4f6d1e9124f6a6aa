"""payload-growth and input-changed: more was handled than before."""

from __future__ import annotations

import pytest

from analysis import compare
from analysis.model import SpanKind


def exported(trace, took: float, **attributes: int):
    """Return a request that says how much it handled."""
    t = trace()
    named = {name.replace("__", "."): value for name, value in attributes.items()}
    t.span("GET /export", 0, took, kind=SpanKind.SERVER, attributes=named)
    return t.build()


def test_a_slower_operation_with_a_larger_result_says_both(trace) -> None:
    """The time and the amount stand in one sentence; the plain slowness is not told again."""
    result = compare(
        exported(trace, 40, http__response__body__size=20_000),
        exported(trace, 900, http__response__body__size=5_000_000),
    )
    first = result.causes[0]
    assert (first.finding, first.operation) == ("payload-growth", "GET /export")
    assert "900 ms instead of 40" in first.summary
    assert "5,000,000 instead of 20,000" in first.summary
    assert first.symptoms == ()


def test_a_slower_operation_with_a_larger_request_is_another_question(trace) -> None:
    """A request that brought more is told as such, not as a fault of the operation."""
    a = exported(trace, 40, http__request__body__size=2_000)
    b = exported(trace, 900, http__request__body__size=900_000)
    result = compare(a, b)
    assert result.causes[0].finding == "input-changed"
    assert "its own size" in result.next_steps[0].text


@pytest.mark.parametrize("size", [20_000, 39_000, 90_000])
def test_small_growth_is_no_reason(trace, only, size) -> None:
    """Sizes vary with every request; only growth that costs something is a reason."""
    a = exported(trace, 40, http__response__body__size=20_000)
    b = exported(trace, 900, http__response__body__size=size)
    assert only(compare(a, b), "payload-growth") is None


@pytest.mark.parametrize("said", [True, "a lot", "1" * 30])
def test_an_amount_that_is_no_number_is_none(trace, only, said) -> None:
    """A flag or a word in the place of a size says nothing about how much it was."""
    a = exported(trace, 40, http__response__body__size=20_000)
    b = exported(trace, 900, http__response__body__size=said)
    assert only(compare(a, b), "payload-growth") is None


def test_growth_without_a_change_of_time_is_only_mentioned(trace, only) -> None:
    """More rows in the same time are listed among what else changed, and are no cause."""
    a = exported(trace, 40, db__response__returned_rows=10)
    b = exported(trace, 41, db__response__returned_rows=9_000)
    result = compare(a, b)
    assert only(result, "payload-growth").affects == "nothing"
    assert result.causes == ()


def test_a_large_answer_that_takes_long_to_send_is_told_of_the_way(trace) -> None:
    """The server is done as quickly as before, its answer is under way for longer, and the answer is why."""
    sides = []
    for rest, size in ((2, 2_000), (600, 50_000_000)):
        t = trace()
        root = t.span("GET /", 0, 60 + rest, kind=SpanKind.SERVER, service="front")
        call = t.span("GET", 5, 35 + rest, root, kind=SpanKind.CLIENT, service="front")
        told = {"http.response.body.size": size}
        t.span("GET /export", 7, 33, call, kind=SpanKind.SERVER, service="reports", attributes=told)
        sides.append(t.build())
    first = compare(*sides).causes[0]
    assert (first.finding, first.service, first.peer_service) == ("payload-growth", "reports", "front")
    assert "50,000,000 instead of 2,000" in first.summary
    assert any("sending a large answer" in line for line in first.evidence)
