"""Evidence: what the named spans say about themselves, without what nobody may see."""

from __future__ import annotations

import json

import msgspec
import pytest

from analysis import CompareOptions, compare
from analysis.evidence import ATTRIBUTES, EVENTS, SPAN_TEXT, SPANS, TEXT, VALUE, evidence
from analysis.model import Event, SpanKind

JANE = "jane.doe@example.com"


def pair(trace, **span):
    """Return two traces in which one call got slow; keywords are fields of that call."""
    sides = []
    for slow in (10, 400):
        t = trace()
        root = t.span("GET /", 0, slow + 20, kind=SpanKind.SERVER, service="shop")
        t.span("SELECT", 5, slow + 5, root, kind=SpanKind.CLIENT, service="catalog", **span)
        sides.append(t.build())
    return sides


def of(sides):
    """Return the evidence for the headline cause."""
    comparison = compare(*sides)
    assert comparison.causes
    return [span for span in evidence(comparison, *sides) if span.cause == 1]


def test_each_cause_shows_its_spans_on_both_sides(trace) -> None:
    """When it ran, how long, and every attribute of the span and of its process, in order of their names."""
    suspect, baseline = of(pair(trace, attributes={"z": 1, "a": [True, "x"]}, resource={"host.name": "node-1"}))
    assert (suspect.side, baseline.side) == ("suspect", "baseline")
    assert (suspect.service, suspect.operation, suspect.kind) == ("catalog", "SELECT", "client")
    assert (suspect.after_ns, suspect.duration_ns, baseline.duration_ns) == (5_000_000, 400_000_000, 10_000_000)
    assert suspect.attributes == (("a", '[true, "x"]'), ("z", "1"))
    assert suspect.resource == (("host.name", "node-1"),)


@pytest.mark.parametrize(
    "attributes",
    [
        {"http.request.header.authorization": "Bearer abcdefgh12345"},
        {"user.note": f"asked by {JANE}"},
        {"db.statement": "SELECT * FROM users WHERE email = 'jane.doe@example.com'"},
        {"db.query.text": "SELECT * FROM users WHERE email = 'jane@x' AND pin = 'abcdefgh12345'"},
        {"db.query.parameter.email": "jane"},
        {"url.full": f"https://x.example/?mail={JANE}&token=abcdefgh12345"},
        {"nested": {"deep": [JANE]}},
    ],
)
def test_no_secret_comes_out(trace, attributes) -> None:
    """Names that mean a secret, shapes of secrets, and whatever a statement asks for are masked."""
    events = (Event(name="exception", time_ns=0, attributes=attributes),)
    said = msgspec.json.encode(
        of(pair(trace, attributes={"db.system": "postgresql", **attributes}, events=events))
    ).decode()
    assert "abcdefgh12345" not in said
    assert "jane" not in said


def test_what_was_sent_is_shown_as_it_is_where_nothing_is_to_be_masked(trace) -> None:
    """With redaction turned off, secrets stand where they were sent; other types are written as JSON."""
    sides = pair(trace, attributes={"user.note": f"asked by {JANE}", "ids": [1, 2]})
    options = CompareOptions(redact=False)
    shown = evidence(compare(*sides, options=options), *sides, options)
    assert dict(shown[0].attributes) == {"user.note": f"asked by {JANE}", "ids": "[1, 2]"}


def test_records_on_a_span_come_with_it(trace) -> None:
    """An exception with its message and stack."""
    start = pair(trace)[0].spans[1].start_ns
    boom = Event(name="exception", time_ns=start + 7, attributes={"exception.type": "Boom"})
    (event,) = of(pair(trace, events=(boom,)))[0].events
    assert (event.name, event.after_ns, event.attributes) == ("exception", 7, (("exception.type", "Boom"),))


def test_evidence_is_bounded(trace) -> None:
    """Whatever a span carries, what is shown of it has a size, and what is left out is counted."""
    events = tuple(Event(name="e" * 9_000, time_ns=0, attributes={}) for _ in range(500))
    attributes = {f"k{n:03}": "v" * 20 for n in range(500)}
    found = of(pair(trace, events=events, attributes=attributes))
    assert len(found) <= 2 * SPANS
    for span in found:
        assert len(span.attributes) == ATTRIBUTES + 1
        assert span.attributes[-1] == ("...", f"{500 - ATTRIBUTES} more")
        assert len(span.events) == EVENTS


def test_a_huge_span_does_not_take_the_room_of_the_others(trace) -> None:
    """Characters are counted per span and over all of them."""
    attributes = {f"k{n}" * 500: "v" * 50_000 for n in range(500)}
    found = of(pair(trace, attributes=attributes, resource=attributes))
    assert [span.side for span in found] == ["suspect", "baseline"]
    for span in found:
        assert len(json.dumps(msgspec.to_builtins(span))) < SPAN_TEXT + 2_000
        assert all(len(name) <= VALUE and len(value) <= VALUE for name, value in span.attributes)
        assert span.attributes[-1][0] == "..."


def test_all_evidence_together_has_a_size(trace, monkeypatch) -> None:
    """Spans for which there is no room are left out, the first causes' come first."""
    monkeypatch.setattr("analysis.evidence.TEXT", 100)
    (only,) = of(pair(trace, attributes={"a": "v" * 500}))
    assert only.side == "suspect"
    assert TEXT > 100


def test_two_equal_traces_have_no_evidence(trace) -> None:
    """Without a cause there is nothing to show."""
    one, _ = pair(trace)
    assert evidence(compare(one, one), one, one) == ()
