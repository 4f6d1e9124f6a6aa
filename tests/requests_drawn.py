"""The requests that several tests of findings share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.model import SpanKind

if TYPE_CHECKING:
    from analysis import Comparison

DB = {"db.system": "postgresql", "db.statement": "SELECT * FROM stock WHERE id = 7"}


def found(result: Comparison) -> set[str]:
    """Return the codes of all findings."""
    return {finding.finding for finding in result.findings}


def queried(trace, *, own: float = 20, query: float = 10, calls: int = 1, error: bool = False):
    """Return a builder with a server span that computes and queries a database `calls` times."""
    t = trace()
    end = own + query * calls
    root = t.span("GET /items", 0, end, kind=SpanKind.SERVER)
    for i in range(calls):
        t.span("SELECT", own / 2 + i * query, own / 2 + (i + 1) * query, root, kind=SpanKind.CLIENT, attributes=DB,
               error=error)  # fmt: skip
    return t
