"""Holders: a span that outlives its caller is given to the ancestor that was still running, or detached.

`SpanTree` draws what holding means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.model import SpanKind
from analysis.tree import DETACHED

if TYPE_CHECKING:
    from analysis.options import CompareOptions
    from analysis.repair.draft import Draft


def find_holders(draft: Draft, order: list[int], detached: set[int], options: CompareOptions) -> list[int]:
    """Say for every span in whose time it runs."""
    spans, parents, starts, ends = draft.spans, draft.parents, draft.starts, draft.ends
    holders = list(parents)
    slack = options.overhang_ns
    consumer, producer, client, server = SpanKind.CONSUMER, SpanKind.PRODUCER, SpanKind.CLIENT, SpanKind.SERVER
    for i in order:
        parent = parents[i]
        if parent < 0:
            continue
        span = spans[i]
        if span.follows_from or i in detached:
            holders[i] = DETACHED
            continue
        kind = span.kind
        end = ends[i]
        if end <= ends[parent] + slack and kind is not consumer:
            continue
        caller = spans[parent].kind
        if kind is consumer and (caller is producer or caller is client or end > ends[parent] + slack):
            holders[i] = DETACHED
        elif kind is server and caller is client:
            # The client gave up first: it waited for the part that lies inside its own time.
            if starts[i] >= ends[parent]:
                holders[i] = DETACHED
        elif kind is not consumer:
            holder = parent
            while holder >= 0 and end > ends[holder] + slack:
                holder = holders[holder]
            holders[i] = holder if holder >= 0 else DETACHED
    return holders
