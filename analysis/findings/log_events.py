"""new-log-event: a span of B recorded something that the same operation never recorded in A.

    A   charge |-----|                      B   charge |--*----------*--|
                                                          "pool exhausted"  "pool exhausted"

Compared are templates, not texts: what varies between two requests (ids, numbers) is left out. Exceptions are
told by findings of their own. What only says that something went as usual (a message sent, a cache asked) is as new
as anything else, so an event is a hint with its own words, never a cause by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis import semconv
from analysis.comparison import CauseKind
from analysis.findings.base import differs, name_of
from analysis.findings.errors import is_exception
from analysis.format import count
from analysis.operation_key import template

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.findings.base import Candidate, Context
    from analysis.model import Event
    from analysis.profile import CallGroup, Profile

CODE = "new-log-event"
TITLE = "New log event"

MOST = 3  # new templates told of one operation
WIDTH = 160  # characters of a text


def find(context: Context) -> Iterable[Candidate]:
    """Yield operations that recorded what is new."""
    for pair in context.alignment.pairs:
        if not pair.baseline or not pair.suspect:
            continue
        after = _templates(pair.suspect, context.suspect, context)
        new = after.keys() - _templates(pair.baseline, context.baseline, context).keys() if after else set()
        if not new:
            continue
        service, operation = name_of(pair, context)
        told = sorted(new, key=lambda text: (-len(after[text]), text))[:MOST]
        examples = [_said(after[text][0][1], context) for text in told]
        where = list(dict.fromkeys(span_id for text in told for span_id, _ in after[text]))
        yield differs(
            CODE,
            TITLE,
            CauseKind.ERROR,
            pair,
            context,
            summary=f"{operation} in {service} records {_quoted(examples[0])}, which A does not",
            evidence=[
                f"{_quoted(example)}: {count(len(after[text]), 'time')} in B, never in A"
                for text, example in zip(told, examples, strict=True)
            ],
            suspect_spans=where[: context.options.max_span_ids],
        )


def _templates(groups: list[CallGroup], side: Profile, context: Context) -> dict[str, list[tuple[str, Event]]]:
    """Group the events of some spans by template, with the id of the span that holds each."""
    spans = side.tree.spans
    found: dict[str, list[tuple[str, Event]]] = {}
    for group in groups:
        for i in group.eventful:
            for event in spans[i].events:
                if not is_exception(event) and not semconv.first(event.attributes, semconv.FLAG_KEY):
                    found.setdefault(template(_said(event, context)), []).append((spans[i].span_id, event))
    return found


def _said(event: Event, context: Context) -> str:
    message = semconv.first(event.attributes, semconv.LOG_MESSAGE)
    level = semconv.first(event.attributes, semconv.LOG_LEVEL)
    name = event.name if event.name and event.name not in (message, "log", "message") else ""
    return context.brief(": ".join(part for part in (level, name, message) if part) or "event", WIDTH)


def _quoted(text: str) -> str:
    return f'"{text}"'
