"""Calls that windows make more, less or no longer, and what the texts of a comparison say of them."""

from __future__ import annotations

import pytest
from conftest import TraceBuilder
from fleet_windows import wave, window

from analysis import render_fleets, render_fleets_markdown
from analysis.fleet import compare_fleets
from analysis.model import SpanKind


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (0, 40, "is new: called by 100 % of requests"),
        (40, 0, "is gone: 100 % of requests called it"),
        (8, 36, "is called by 90 % of requests instead of 20 %"),
    ],
)
def test_how_many_requests_make_a_call_is_said(before, after, said) -> None:
    """A call that all requests make anew or no longer, or that far more of them make than before."""
    a, b = (window(wave(40), calls=lambda i, n=n: int(i < n)) for n in (before, after))
    found = compare_fleets(a, b)
    assert said in found.causes[0].summary


def listed(number: int, items: int, queries: int, name: str) -> list:
    """Return requests that ask for some items, each item by some queries of about 3 ms."""
    made = []
    for i in range(number):
        t = TraceBuilder(trace_id=f"{name}{i:031x}")
        query = 3 + (i % 7) / 20
        took = items * (1 + queries * query)
        root = t.span("GET /list", 0, 5 + took, kind=SpanKind.SERVER)
        at = 2.0
        for _ in range(items):
            item = t.span("load item", at, at + 1 + queries * query, root)
            for k in range(queries):
                t.span("SELECT", at + 0.5 + k * query, at + 0.5 + (k + 1) * query, item, kind=SpanKind.CLIENT)
            at += 1 + queries * query
        made.append(t.build())
    return made


def test_calls_that_multiply_with_their_caller_are_its_own() -> None:
    """Three items instead of one make three queries: one cause, the caller, with the time of what it calls."""
    found = compare_fleets(listed(40, 1, 1, "a"), listed(40, 3, 1, "b"))
    (cause,) = found.causes
    assert cause.operation == "load item"
    assert "SELECT" in " ".join(cause.symptoms)
    assert cause.share > 0.9
    assert "follows from it: changes of " in render_fleets(found)


def test_calls_that_multiply_by_more_than_their_caller_are_a_cause_of_their_own() -> None:
    """Two items instead of one, each with three queries instead of one: both are told, in text and in Markdown."""
    found = compare_fleets(listed(40, 1, 1, "a"), listed(40, 2, 3, "b"))
    assert {cause.operation for cause in found.causes} == {"SELECT", "load item"}
    assert "\n## 2. " in render_fleets_markdown(found)
    assert "load item" in render_fleets(found)


def test_errors_alone_are_a_cause_without_a_time() -> None:
    """Requests that fail in as much time: the document says what fails and what follows, and no mean time."""
    found = compare_fleets(window(wave(60)), window(wave(60), failing=lambda i: i % 4 == 0))
    (cause,) = found.causes
    document = render_fleets_markdown(found)
    assert cause.time is None
    assert "**Cause:**" in document
    assert "on average" not in document.partition("**Confidence")[0]
    assert "follows from it" in document


def test_what_a_new_call_calls_follows_from_it() -> None:
    """Nothing was loaded before: the call at the top of what is new is the cause, with the time of all below it."""
    found = compare_fleets(listed(40, 0, 1, "a"), listed(40, 2, 1, "b"))
    (cause,) = found.causes
    assert (cause.operation, cause.symptoms) == ("load item", ("SELECT in shop",))
    assert "is new: called by 100 % of requests" in cause.summary
    assert cause.share > 0.9


def test_calls_that_a_part_of_the_requests_repeats_are_told_with_that_part() -> None:
    """A third makes the call twice, the typical request once as before."""
    found = compare_fleets(window(wave(60)), window(wave(60), calls=lambda i: 1 + (i % 3 == 0)))
    assert "is called more than once by 33 % of requests instead of 0 %" in found.causes[0].summary
