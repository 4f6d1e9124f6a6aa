"""Renderings of a comparison that has less to say than others: no empty table."""

from __future__ import annotations

import pytest

from analysis import compare, render_markdown, render_text
from analysis.comparison import VerdictKind
from analysis.model import SpanKind


def test_a_request_that_takes_no_time_has_no_table_of_it(trace) -> None:
    """Clocks that count in milliseconds see nothing of a quick request: the document says so without a table."""
    sides = []
    for status in (200, 404):
        t = trace()
        t.span("GET /ping", 0, 0, kind=SpanKind.SERVER, attributes={"http.status_code": status})
        sides.append(t.build())
    result = compare(*sides)
    document = render_markdown(result)
    assert result.verdict.kind is VerdictKind.CHANGED
    assert "## Where the time went" in document
    assert "| operation |" not in document


def test_time_that_was_saved_elsewhere_is_no_share_of_the_difference(trace) -> None:
    """A call fails and takes longer by far more than the request does: its time is told, and no 2,000 per cent."""
    sides = []
    for charge, other in ((100, 300), (300, 110)):
        t = trace()
        root = t.span("POST /pay", 0, charge + other, kind=SpanKind.SERVER)
        t.span("charge", 0, charge, root, kind=SpanKind.CLIENT, error=charge > 100)
        t.span("notify", charge, charge + other, root, kind=SpanKind.CLIENT)
        sides.append(t.build())
    result = compare(*sides)
    document = render_markdown(result).replace("\\", "")
    assert result.verdict.kind is VerdictKind.FAILING
    assert "charge in shop" in result.causes[0].summary
    assert "(+200 ms)" in document
    assert "of the difference" not in document.partition("**Confidence")[0]


@pytest.mark.parametrize(("other", "share"), [(350, 0.8), (300, 1.0), (220, 1.0), (200, 0.0), (100, 0.0), (50, 0.0)])
def test_a_share_is_a_part_of_the_whole(trace, other: float, share: float) -> None:
    """A failing call takes 200 ms more: all of what is left where a little was saved elsewhere, none where much was."""
    sides = []
    for took, beside in ((100, 300), (300, other)):
        t = trace()
        root = t.span("POST /pay", 0, took + beside, kind=SpanKind.SERVER)
        t.span("charge", 0, took, root, kind=SpanKind.CLIENT, error=took > 100)
        t.span("notify", took, took + beside, root, kind=SpanKind.CLIENT)
        sides.append(t.build())
    cause = compare(*sides).causes[0]
    assert (cause.operation, cause.delta_ns, cause.share) == ("charge", 200_000_000, share)


def test_a_trace_whose_clock_is_absurd_has_no_time_of_day(trace) -> None:
    """A side is described without a start where that is no moment."""
    sides = []
    for took in (10, 400):
        t = trace()
        t.span("GET /", -2e12, -2e12 + took)
        sides.append(t.build())
    a = next(line for line in render_text(compare(*sides)).splitlines() if line.startswith("A  "))
    assert a.endswith("1 span in 1 service")
