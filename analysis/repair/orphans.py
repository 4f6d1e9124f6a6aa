"""Orphans: spans whose parents were not received are put where time and addresses say that they belong.

    gateway  POST to checkout   |------------------------|      no child was received
    cart     GET /cart             |---|                        orphan: enclosed, so adopted
    pricing  POST /price                 |-------|              orphan: enclosed, so adopted

The caller is the shortest enclosing client span that names the orphan's service, else the shortest enclosing client
span without a child of its own. Where the call itself was lost, the orphan ran inside the innermost span that lies
around it, or, of several side by side, inside what holds them all; else in the root:

    gateway  POST /order    |------------------------|      its own calls were not received
    pricing  POST /price        |---------|                 orphan: inside POST /order, not beside it
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from analysis import semconv
from analysis.notes import Severity
from analysis.repair.draft import ORPHAN
from analysis.tree import by_level, group_children

if TYPE_CHECKING:
    from analysis.repair.draft import Draft

ADOPTION_DEPTH = 64  # spans above a possible holder looked at
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
    hosts = sorted(_hosts(draft, root), key=starts.__getitem__)
    host_starts = [starts[i] for i in hosts]
    for orphan in orphans:
        service = spans[orphan].service.lower()
        named = (
            i
            for i in _enclosing(orphan, callers, caller_starts, starts, ends)
            if service and service in semconv.peer(spans[i]).lower()
        )
        unnamed = _enclosing(orphan, silent, silent_starts, starts, ends)
        candidates = [i for i in named if i not in with_child] or list(unnamed)
        if candidates:
            parents[orphan] = min(candidates, key=lambda i: ends[i] - starts[i])
        else:
            around = [i for i in _enclosing(orphan, hosts, host_starts, starts, ends) if ends[i] >= ends[orphan]]
            parents[orphan] = _innermost(around, parents, root)
    draft.note(
        "missing-parents",
        Severity.WARNING,
        len(orphans),
        "spans have parents that were not received; they were placed by time and address",
    )
    _cut_adopted_cycles(root, orphans, parents)


def _hosts(draft: Draft, root: int) -> list[int]:
    """List the spans that lead to the root and in whose time a lost call may have been made."""
    spans = draft.spans
    rooted = by_level([root], group_children(draft.parents))
    return [i for i in rooted if i == root or spans[i].kind not in semconv.CALLING]


def _innermost(around: list[int], parents: list[int], root: int) -> int:
    """Return the innermost of some spans that hold each other; of spans side by side, what holds them all."""
    chosen = root
    forked = False  # some lie side by side: from then on only outwards
    for i in around:
        above, below = _chain(chosen, parents, root), _chain(i, parents, root)
        if i in above:
            continue
        if chosen not in below:
            forked = True
            chosen = next((j for j in above if j in below), root)
        elif not forked:
            chosen = i
    return chosen


def _chain(span: int, parents: list[int], root: int) -> list[int]:
    """List a span and those above it, up to the root or a bounded number."""
    chain = [span]
    while chain[-1] != root and len(chain) < ADOPTION_DEPTH:
        chain.append(parents[chain[-1]])
    return chain


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
