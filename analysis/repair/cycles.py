"""Cycles: spans that name each other, or themselves, as parents.

a -> b -> c -> a        --->        a -> b -> c, and `a`, the earliest, is an orphan
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.notes import Severity
from analysis.repair.draft import ORPHAN

if TYPE_CHECKING:
    from analysis.repair.draft import Draft


def cut_cycles(draft: Draft) -> None:
    """Cut every parent cycle (a span that is its own parent included) at its earliest span."""
    parents, starts = draft.parents, draft.starts
    state = bytearray(len(parents))  # 0 unseen, 1 on the walk, 2 done
    cycles = 0
    for begin in range(len(parents)):
        if state[begin]:
            continue
        walk = []
        span = begin
        while span >= 0 and not state[span]:
            state[span] = 1
            walk.append(span)
            span = parents[span]
        if span >= 0 and state[span] == 1:
            cycle = walk[walk.index(span) :]
            parents[min(cycle, key=lambda i: (starts[i], i))] = ORPHAN
            cycles += 1
        for seen in walk:
            state[seen] = 2
    if cycles:
        draft.note(
            "parent-cycles",
            Severity.WARNING,
            cycles,
            "spans named each other as parents; the circle was cut at its earliest span",
        )
