"""Evidence: the spans that the causes name, as they were sent, with everything that they say about themselves.

A comparison says what changed; whoever doubts it, or has to mend it, wants to see the spans. What they carry passes
the same redaction as everything else that leaves the engine.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec import Struct

from analysis import semconv
from analysis.operation_key import statement_template
from analysis.options import DEFAULTS, CompareOptions
from analysis.sensitive import MASK, Redactor

if TYPE_CHECKING:
    from analysis.comparison import Cause, Comparison
    from analysis.model import Attributes, AttributeValue, Span, Trace

CAUSES = 10
SPANS = 2  # of each side, for each cause: more of one group look alike
EVENTS = 10
ATTRIBUTES = 80  # of one span or event
VALUE = 2_000  # characters of one value
SPAN_TEXT = 16_000  # characters of one span, its records included
TEXT = 160_000  # characters of all evidence
PARAMETERS = ("db.query.parameter", "db.statement.parameter", "db.operation.parameter", "db.params")

Pairs = tuple[tuple[str, str], ...]


class EventEvidence(Struct, frozen=True, kw_only=True):
    """A record on a span, `after_ns` after the start of the span."""

    name: str
    after_ns: int
    attributes: Pairs


class SpanEvidence(Struct, frozen=True, kw_only=True):
    """One span that a cause names; `after_ns` after the start of its request. `side` as in `LinkTarget`."""

    cause: int  # the cause's rank
    side: str
    span_id: str
    service: str
    operation: str
    kind: str
    after_ns: int
    duration_ns: int
    error: bool
    status_message: str
    attributes: Pairs
    resource: Pairs
    events: tuple[EventEvidence, ...]


def evidence(
    comparison: Comparison, baseline: Trace, suspect: Trace, options: CompareOptions = DEFAULTS
) -> tuple[SpanEvidence, ...]:
    """Return the spans that each cause names, suspect first, redacted and bounded."""
    causes = comparison.causes[:CAUSES]
    sides = (
        ("suspect", suspect, comparison.suspect.started_at_ns),
        ("baseline", baseline, comparison.baseline.started_at_ns),
    )
    found: dict[tuple[str, str], Span] = {}
    for side, trace, _ in sides:
        wanted = {span_id for cause in causes for span_id in _named(cause, side)}
        for span in trace.spans:
            if span.span_id in wanted:
                found.setdefault((side, span.span_id), span)
    writer = _Writer(Redactor.of(options))
    return tuple(
        writer.span(cause.rank, side, found[side, span_id], start_ns)
        for cause in causes
        for side, _, start_ns in sides
        for span_id in _named(cause, side)
        if (side, span_id) in found and writer.left > 0
    )


def _named(cause: Cause, side: str) -> tuple[str, ...]:
    return (cause.suspect_span_ids if side == "suspect" else cause.baseline_span_ids)[:SPANS]


class _Writer:
    """Writes spans down, redacted, as long as there is room."""

    def __init__(self, redactor: Redactor | None) -> None:
        self.left = TEXT
        self._room = 0
        self._redactor = redactor

    def span(self, rank: int, side: str, span: Span, start_ns: int) -> SpanEvidence:
        """Return a span as evidence."""
        self._room = min(SPAN_TEXT, self.left)
        before = self._room
        made = SpanEvidence(
            cause=rank, side=side, span_id=span.span_id, service=self._text(span.service),
            operation=self._text(span.name), kind=span.kind.value, after_ns=span.start_ns - start_ns,
            duration_ns=max(0, span.end_ns - span.start_ns), error=span.error,
            status_message=self._text(span.status_message), attributes=self._pairs(span.attributes),
            resource=self._pairs(span.resource.attributes),
            events=tuple(
                EventEvidence(
                    name=self._text(event.name), after_ns=event.time_ns - span.start_ns,
                    attributes=self._pairs(event.attributes),
                )
                for event in span.events[:EVENTS]
            ),
        )  # fmt: skip
        self.left -= before - self._room
        return made

    def _text(self, text: str) -> str:
        return self._take(text if self._redactor is None else self._redactor.text(text))

    def _take(self, text: str) -> str:
        """Cut a text to the room that there is for it."""
        kept = text[: max(0, min(VALUE, self._room))]
        self._room -= len(kept)
        return kept

    def _pairs(self, attributes: Attributes) -> Pairs:
        """Say attributes as text, in the order of their names; what there is no room for is counted."""
        pairs: list[tuple[str, str]] = []
        for name in sorted(attributes):
            if len(pairs) == ATTRIBUTES or self._room <= 0:
                pairs.append(("...", f"{len(attributes) - len(pairs)} more"))
                break
            pairs.append((self._text(name), self._take(self._value(name, attributes[name]))))
        return tuple(pairs)

    def _value(self, name: str, value: AttributeValue) -> str:
        if self._redactor is None:
            return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        if name.startswith(PARAMETERS):
            return MASK  # what a statement asks for is nobody's business; its shape stays
        if name in semconv.DB_STATEMENT:
            value = statement_template(self._redactor.text(str(value)))
        return self._redactor.value(name, value)
