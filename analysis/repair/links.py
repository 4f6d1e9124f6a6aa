"""Links: work that names the span it follows only by a link belongs below that span, as work nobody waits for.

    POST /order   |--------|
      publish        |-|                     no parent, but a link to `publish`: its child, detached
    process                   |-----|

OpenTelemetry lets a consumer link to the message's producer instead of calling it its parent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.tree import ROOT

if TYPE_CHECKING:
    from analysis.repair.draft import Draft


def follow_links(draft: Draft, trace_id: str) -> set[int]:
    """Put spans without a parent below the first span of their trace that they link to; return those spans.

    Expects parents without cycles and makes none: no span goes below its own descendant.
    """
    spans, parents = draft.spans, draft.parents
    linking = [i for i, parent in enumerate(parents) if parent == ROOT and spans[i].links]
    if not linking:
        return set()
    number = {span.span_id: i for i, span in enumerate(spans) if span.span_id}
    above = list(parents)
    followed = set()
    for i in linking:
        for link in spans[i].links:
            target = number.get(link.span_id) if link.trace_id == trace_id else None
            top = _top(target, above) if target is not None else i
            if target is not None and top != i and parents[top] == ROOT:
                parents[i] = above[i] = target
                followed.add(i)
                break
    return followed


def _top(span: int, above: list[int]) -> int:
    """Return the span at the top of the tree that `span` is in; shortens the ways that it goes."""
    while above[span] >= 0:
        if above[above[span]] >= 0:
            above[span] = above[above[span]]
        span = above[span]
    return span
