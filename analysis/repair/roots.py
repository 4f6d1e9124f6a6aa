"""Roots: of several the longest is the request; of none, the span that encloses the others, else a placeholder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.model import Resource, Span, SpanKind
from analysis.notes import Severity
from analysis.repair.draft import ORPHAN
from analysis.tree import ROOT

if TYPE_CHECKING:
    from analysis.repair.draft import Draft

MISSING_SERVICE = "(missing)"
MISSING_OPERATION = "(root span not received)"


def settle_root(draft: Draft) -> tuple[int, set[int]]:
    """Return the one root, and the spans that are roots by themselves and now hang under it.

    Nobody waited for the latter: they are detached work.
    """
    roots = [i for i, parent in enumerate(draft.parents) if parent == ROOT]
    if not roots:
        return _root_of_orphans(draft), set()
    root = draft.longest(roots)
    others = {i for i in roots if i != root}
    for i in others:
        draft.parents[i] = root
    if others:
        draft.note(
            "several-roots",
            Severity.WARNING,
            len(others) + 1,
            "spans have no parent; the longest was taken as the request",
        )
    return root, others


def _root_of_orphans(draft: Draft) -> int:
    orphans = [i for i, parent in enumerate(draft.parents) if parent == ORPHAN]
    draft.note(
        "root-missing",
        Severity.SERIOUS,
        1,
        "the root span was not received; the response time is taken from the spans that were",
    )
    starts, ends = draft.starts, draft.ends
    low = min(starts[i] for i in orphans)
    high = max(ends[i] for i in orphans)
    longest = draft.longest(orphans)
    if (ends[longest] - starts[longest]) * 10 >= (high - low) * 9:
        draft.parents[longest] = ROOT
        return longest
    root = len(draft.spans)
    draft.spans.append(_placeholder(low, high))
    starts.append(low)
    ends.append(high)
    draft.parents.append(ROOT)
    for i in orphans:
        draft.parents[i] = root
    return root


def _placeholder(start_ns: int, end_ns: int) -> Span:
    return Span(
        span_id="0" * 16,
        parent_id="",
        name=MISSING_OPERATION,
        kind=SpanKind.SERVER,
        resource=Resource(service=MISSING_SERVICE, attributes={}),
        start_ns=start_ns,
        end_ns=end_ns,
        error=False,
        status_message="",
        sent={},
    )
