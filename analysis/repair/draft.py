"""`Draft`: a trace on its way to becoming a `SpanTree`; each repair takes it and mends its part in place."""

from __future__ import annotations

from msgspec import Struct

from analysis.model import Span
from analysis.notes import Note, Severity

ORPHAN = -3  # a parent id that no span carries


class Draft(Struct):
    """Spans in their final numbering (only a placeholder root may still be added at the end) and what is known of each.

    `parents[i]` is the number of a span, `ROOT` or `ORPHAN`; `starts` and `ends` are ns since the epoch.
    """

    spans: list[Span]
    parents: list[int]
    starts: list[int]
    ends: list[int]
    notes: list[Note]

    def note(self, code: str, severity: Severity, count: int, text: str) -> None:
        """Say what was mended."""
        self.notes.append(Note(code=code, severity=severity, count=count, text=text))

    def longest(self, among: list[int]) -> int:
        """Return the span that lasts longest: the request, not a stray ping or a consumer without context."""
        starts, ends, spans = self.starts, self.ends, self.spans
        return min(among, key=lambda i: (starts[i] - ends[i], starts[i], spans[i].service, spans[i].name))
