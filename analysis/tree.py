"""`SpanTree`: one repaired trace as index arrays, the shape every later stage works on.

Spans are numbered 0..n-1; a list `xs[i]` belongs to span `i`. Plain lists of ints keep the cost of a
span near a microsecond in CPython, where an object per span and stage would cost several.
Times are nanoseconds after `origin_ns` (the root's start), so they stay small ints.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from analysis.model import Span
from analysis.notes import Note

ROOT = -1


class SpanTree(Struct, frozen=True, kw_only=True):
    """A repaired trace.

    `parents`/`children` say who called whom (the call path). `holders`/`held` say in whose time a span
    runs: usually the same, but a child that outlives its caller runs in the time of the nearest
    ancestor that was still there, and work after the response runs in nobody's time (`DETACHED`):

        root     |----------------------------|
        handler    |-|                             ended at once, as callback frameworks do
        query        |-----------------|           called by handler, held by root
        consumer          |--------------------->  detached: the response did not wait for it
    """

    trace_id: str
    spans: list[Span]
    origin_ns: int
    starts: list[int]
    ends: list[int]
    parents: list[int]
    children: list[Sequence[int]]
    holders: list[int]
    held: list[Sequence[int]]
    order: list[int]  # every span after its parent
    root: int
    notes: tuple[Note, ...]

    @property
    def response_ns(self) -> int:
        """Duration of the root span."""
        return self.ends[self.root] - self.starts[self.root]

    @property
    def completion_ns(self) -> int:
        """From the root's start to the end of the last span."""
        return max(self.ends) - self.starts[self.root]


DETACHED = -2


def group_children(parents: list[int]) -> list[Sequence[int]]:
    """Invert a parent list; spans without children share one empty tuple."""
    children: list[Sequence[int]] = [()] * len(parents)
    for child, parent in enumerate(parents):
        if parent >= 0:
            siblings = children[parent]
            if type(siblings) is list:
                siblings.append(child)
            else:
                children[parent] = [child]
    return children


def topological(roots: list[int], children: list[Sequence[int]]) -> list[int]:
    """List the spans reachable from `roots`, every one after its parent; iterative, any depth."""
    order = list(roots)
    for span in order:  # the list grows while it is walked
        order.extend(children[span])
    return order


def self_times(tree: SpanTree) -> list[int]:
    """Return per span the part of its duration that none of the spans it holds covers.

    parent   |----------------|
    child a    |----|
    child b       |-----|
    self     |-|        |-----|
    """
    starts, ends, held = tree.starts, tree.ends, tree.held
    result = [end - start for start, end in zip(starts, ends, strict=True)]
    for span, children in enumerate(held):
        if not children:
            continue
        low, high = starts[span], ends[span]
        if len(children) == 1:
            child = children[0]
            covered = min(ends[child], high) - max(starts[child], low)
            if covered > 0:
                result[span] -= covered
            continue
        reached = low
        covered = 0
        for child in sorted(children, key=starts.__getitem__):
            start, end = starts[child], ends[child]
            start = max(start, reached)
            end = min(end, high)
            if end > start:
                covered += end - start
                reached = end
        result[span] -= covered
    return result
