"""Identities: spans get numbers in one order, whatever the backend's; what is the same is one, what is not is two.

A span sent twice is one span. A client and a server that share one id (Zipkin) are two:

    |--- aa client ---|                    |--- aa client ---|
      |- aa server -|          --->          |-    server  -|      child of aa
        |- parent aa -|                        |- of the side that emitted it -|
"""

from __future__ import annotations

from operator import attrgetter, eq
from typing import TYPE_CHECKING

from msgspec.structs import replace

from analysis import semconv
from analysis.notes import Severity
from analysis.repair.draft import ORPHAN, Draft
from analysis.tree import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.model import Span, Trace

_ID, _START, _END = attrgetter("span_id"), attrgetter("start_ns"), attrgetter("end_ns")
_HELD = attrgetter("status_message", "events", "links", "follows_from")
_ORDER = attrgetter("start_ns", "end_ns", "name", "span_id", "parent_id", "kind", "resource.service", "error")


def number_spans(trace: Trace) -> Draft:
    """Number the spans of a trace and find every span's parent."""
    spans = in_one_order(trace.spans)
    draft = Draft(spans=spans, parents=[], starts=[], ends=[], notes=list(trace.notes))
    index = dict(zip(map(_ID, spans), range(len(spans)), strict=True))
    twins: dict[str, int] = {}
    if len(index) < len(spans):
        index, twins = _join(draft)
    draft.starts = list(map(_START, draft.spans))
    draft.ends = list(map(_END, draft.spans))
    draft.parents = _parents(draft.spans, index, twins)
    return draft


def in_one_order(sent: Sequence[Span]) -> list[Span]:
    """Sort spans so that nothing after this can depend on how they were sent.

    By start alone, then within each run of equal starts by everything else: one long key for every span costs three
    times as much as the rest of the numbering.
    """
    spans = sorted(sent, key=_START)
    starts = list(map(_START, spans))
    done = 0
    for at, tied in enumerate(map(eq, starts, starts[1:])):
        if tied and at >= done:
            done = at + 1
            while done < len(starts) and starts[done] == starts[at]:
                done += 1
            spans[at:done] = _tied_in_order(spans[at:done])
    return spans


def _tied_in_order(tied: list[Span]) -> list[Span]:
    """Sort spans that start together; copies of one span that agree in all but what they hold, by that."""
    if len({span.span_id for span in tied}) == len(tied):
        return sorted(tied, key=_ORDER)
    return sorted(tied, key=lambda span: (_ORDER(span), repr((span.resource, span.attributes, *_HELD(span)))))


def _join(draft: Draft) -> tuple[dict[str, int], dict[str, int]]:
    """Join repeated spans. Returns every id's number, and the server's for an id that client and server share."""
    index: dict[str, int] = {}
    twins: dict[str, int] = {}
    spans: list[Span] = []
    duplicates = 0
    for span in draft.spans:
        at = index.setdefault(span.span_id, len(spans))
        if at == len(spans):
            spans.append(span)
            continue
        other = spans[at]
        if span.kind == other.kind and span.name == other.name and span.service == other.service:
            duplicates += 1
            if span.end_ns - span.start_ns > other.end_ns - other.start_ns:
                spans[at] = span
        elif span.span_id in twins:
            duplicates += 1
        elif other.kind in semconv.SERVING and span.kind in semconv.CALLING:
            spans[at], server = span, other
            twins[span.span_id] = len(spans)
            spans.append(replace(server, parent_id=span.span_id))
        else:
            twins[span.span_id] = len(spans)
            spans.append(replace(span, parent_id=span.span_id))
    draft.spans = spans
    if duplicates:
        draft.note(
            "duplicate-spans", Severity.INFO, duplicates, "spans were sent more than once; each was counted once"
        )
    if twins:
        draft.note(
            "shared-span-ids",
            Severity.INFO,
            len(twins),
            "client and server spans share one id (Zipkin style); they were told apart",
        )
    return index, twins


def _parents(spans: list[Span], index: dict[str, int], twins: dict[str, int]) -> list[int]:
    get = index.get
    parents = [get(span.parent_id, ORPHAN) if span.parent_id else ROOT for span in spans]
    for span_id, server in twins.items():
        # Work below a shared id belongs to the side that emitted it.
        client = index[span_id]
        for i, parent in enumerate(parents):
            if parent == client and i != server and spans[i].service == spans[server].service:
                parents[i] = server
        parents[server] = client
    return parents
