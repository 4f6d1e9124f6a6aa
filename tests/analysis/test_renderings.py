"""Renderings of a comparison that has less to say than others: no empty table."""

from __future__ import annotations

from analysis import compare, render_markdown
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
