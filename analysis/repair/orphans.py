"""Orphans: spans whose parents were not received are put where time and addresses say that they belong.

    gateway  POST to checkout   |------------------------|      no child was received
    cart     GET /cart             |---|                        orphan: enclosed, so adopted
    pricing  POST /price                 |-------|              orphan: enclosed, so adopted

The caller is the shortest enclosing client span that names the orphan's service, else the shortest enclosing client
span without a child of its own, else the root.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from analysis import semconv
from analysis.notes import Severity
from analysis.repair.draft import ORPHAN

if TYPE_CHECKING:
    from analysis.repair.draft import Draft

ADOPTION_SCAN = 64  # callers looked at for one orphan; bounds the work on hopeless traces


def adopt_orphans(draft: Draft, root: int) -> None:
    """Attach each orphan under the call it most likely served."""
    spans, parents, starts, ends = draft.spans, draft.parents, draft.starts, draft.ends
    orphans = [i for i, parent in enumerate(parents) if parent == ORPHAN]
    if not orphans:
        return
    with_child = set(parents)
    callers = sorted(
        (i for i, span in enumerate(spans) if span.kind in semconv.CALLING and parents[i] != ORPHAN),
        key=starts.__getitem__,
    )
    caller_starts = [starts[i] for i in callers]
    silent = [i for i in callers if i not in with_child]
    silent_starts = [starts[i] for i in silent]
    for orphan in orphans:
        service = spans[orphan].service.lower()
        named = (
            i
            for i in _enclosing(orphan, callers, caller_starts, starts, ends)
            if service and service in semconv.peer(spans[i]).lower()
        )
        unnamed = _enclosing(orphan, silent, silent_starts, starts, ends)
        candidates = [i for i in named if i not in with_child] or list(unnamed)
        parents[orphan] = min(candidates, key=lambda i: ends[i] - starts[i]) if candidates else root
    draft.note(
        "missing-parents",
        Severity.WARNING,
        len(orphans),
        "spans have parents that were not received; they were placed by time and address",
    )
    _cut_adopted_cycles(root, orphans, parents)


def _enclosing(
    orphan: int, callers: list[int], caller_starts: list[int], starts: list[int], ends: list[int]
) -> list[int]:
    at = bisect_right(caller_starts, starts[orphan])
    near = callers[max(0, at - ADOPTION_SCAN) : at]
    return [i for i in near if ends[i] >= min(ends[orphan], starts[orphan] + 1) and i != orphan]


def _cut_adopted_cycles(root: int, orphans: list[int], parents: list[int]) -> None:
    """Send an orphan to the root instead when its adoption closed a circle."""
    adopted = set(orphans)
    state = bytearray(len(parents))  # 1 on the walk, 2 leads to the root
    state[root] = 2
    for orphan in orphans:
        walk = []
        span = orphan
        while not state[span]:
            state[span] = 1
            walk.append(span)
            span = parents[span]
        if state[span] == 1:  # every such circle goes through an orphan: there was none before
            parents[next(i for i in walk[walk.index(span) :] if i in adopted)] = root
        for seen in walk:
            state[seen] = 2
