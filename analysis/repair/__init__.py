"""Repair: turn a decoded trace, as broken as backends deliver them, into one `SpanTree`.

Nothing is dropped silently and nothing raises: every mend is counted in a note. One file per kind of repair:

    identities    one order; spans sent twice, ids shared by a client and a server; who is whose parent
    durations     ends before starts
    cycles        spans that name each other as parents
    links         spans that say only by a link what they follow
    roots         several of them, or none
    orphans       spans whose parents were not received
    clocks        processes whose clock disagrees with their callers'
    holders       spans that outlive their callers
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.repair.clocks import align_clocks
from analysis.repair.cycles import cut_cycles
from analysis.repair.durations import mend_durations
from analysis.repair.holders import find_holders
from analysis.repair.identities import number_spans
from analysis.repair.links import follow_links
from analysis.repair.orphans import adopt_orphans
from analysis.repair.roots import MISSING_SERVICE, settle_root
from analysis.tree import ROOT, SpanTree, as_read, group_children, order_by_start

if TYPE_CHECKING:
    from analysis.model import Trace
    from analysis.options import CompareOptions

__all__ = ["MISSING_SERVICE", "repair"]


def repair(trace: Trace, options: CompareOptions) -> SpanTree:
    """Build the span tree of a trace; its notes say what had to be mended."""
    draft = number_spans(trace)
    mend_durations(draft)
    children = group_children(draft.parents)
    order = as_read([i for i, parent in enumerate(draft.parents) if parent == ROOT], children)
    root, detached = order[0] if order else ROOT, set[int]()
    if len(order) < len(draft.spans) or draft.parents.count(ROOT) != 1:
        # Only a trace whose one root reaches every span needs none of these.
        cut_cycles(draft)
        detached = follow_links(draft, trace.trace_id)
        root, alone = settle_root(draft)
        detached |= alone
        adopt_orphans(draft, root)
        children = group_children(draft.parents)
        order = as_read([root], children)
    align_clocks(draft, order, children, options)
    origin = draft.starts[root]
    draft.starts = [start - origin for start in draft.starts]
    draft.ends = [end - origin for end in draft.ends]
    holders = find_holders(draft, order, detached, options)
    held = children if holders == draft.parents else group_children(holders)
    for siblings in (children,) if held is children else (children, held):
        order_by_start(siblings, draft.starts)
    return SpanTree(
        trace_id=trace.trace_id,
        spans=draft.spans,
        origin_ns=origin,
        starts=draft.starts,
        ends=draft.ends,
        parents=draft.parents,
        children=children,
        holders=holders,
        held=held,
        order=order,
        root=root,
        notes=tuple(draft.notes),
    )
