"""The critical path: who owns each nanosecond of the response time.

The path is a partition of [root start, root end] into segments, each owned by exactly one span, found
by walking backwards from the end of every span: the child that finished last is what the span waited
for; before that child started, the span waited for the child that had finished last by then, and so on.

    parent   |-----------------------------|
    a          |-------|
    b          |---------------|
    c                            |-----|
    owner    p|bbbbbbbbbbbbbbbb|p|ccccc|ppp      (a ran beside b: not on the path)

This is the last-finishing-child walk of Jaeger's critical path view and of CRISP (Zhang et al., "CRISP:
Critical Path Analysis of Large-Scale Microservice Architectures", USENIX ATC 2022), with three differences:

- children that touch (end == next start), or overlap by less than a rounding error, are sequential;
- where no child had finished but some were running, the time belongs to the longest-running of them and
  not to the parent, so a parent owns time only while nothing it holds is running:

    parent   |-----------------|
    a        |--------|
    b              |-----------|
    owner    aaaaaaa|bbbbbbbbbb|      (the plain walk gives the first part to the parent)

- it is iterative: a chain of 100,000 spans is as good as any other shape.

The segments' lengths sum to the root's duration, to the nanosecond. O(n log n).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.tree import SpanTree


class CriticalPath(Struct, frozen=True, kw_only=True):
    """Exposed time per span (ns on the path), split by where in the span it lies, and the segments."""

    exposed: list[int]
    before: list[int]  # part of `exposed` before the first child on the path
    after: list[int]  # part of `exposed` after the last child on the path
    segments: list[tuple[int, int, int]]  # (span, start, end) in ns of the tree's clock, unordered


def critical_path(tree: SpanTree, rounding_ns: int) -> CriticalPath:
    """Partition the time of the root among the spans that held it up."""
    starts, ends, held = tree.starts, tree.ends, tree.held
    n = len(starts)
    exposed, before, after = [0] * n, [0] * n, [0] * n
    segments: list[tuple[int, int, int]] = []
    stack = [(tree.root, starts[tree.root], ends[tree.root])]
    while stack:
        span, low, high = stack.pop()
        children = held[span]
        if not children:
            exposed[span] += high - low
            segments.append((span, low, high))
            continue
        cursor = high
        first = True
        runner, runner_start = -1, high
        own: list[tuple[int, int]] = []
        for child in latest_first(children, tree, high):
            start, end = starts[child], ends[child]
            if end > high:  # clipped: the parent did not wait longer than it ran
                end = high
            if end <= low:
                break
            if start >= end:  # it held nothing up, and must not part the time of a call that ran on beside it
                continue
            if end > cursor + rounding_ns:
                # Still running when the child after the cursor began: not what the parent waited for.
                if start < runner_start:
                    runner, runner_start = child, start
                continue
            if end > cursor:
                end = cursor
            if end < cursor:
                if runner_start < cursor:
                    run = max(runner_start, end)
                    stack.append((runner, run, cursor))
                    cursor = run
                if end < cursor:
                    own.append((end, cursor))
                    if first:
                        after[span] += cursor - end
            first = False
            cursor = start if start > low else low
            if cursor < end:
                if held[child]:
                    stack.append((child, cursor, end))
                else:  # most spans hold nothing: their turn on the stack would be a third of the whole walk
                    exposed[child] += end - cursor
                    segments.append((child, cursor, end))
            else:
                cursor = end
            if cursor <= low:
                break
        if cursor > low:
            if runner_start < cursor:
                run = max(runner_start, low)
                stack.append((runner, run, cursor))
                cursor = run
                first = False
            if cursor > low:
                own.append((low, cursor))
                if not first:
                    before[span] += cursor - low
        for start, end in own:
            exposed[span] += end - start
            segments.append((span, start, end))
    return CriticalPath(exposed=exposed, before=before, after=after, segments=segments)


def latest_first(children: Sequence[int], tree: SpanTree, high: int) -> Sequence[int]:
    """Order siblings by end, latest first; among equals the longer, then by name, never by span id.

    What ran past `high` counts as ended then: the parent's wait ended there, whichever went on the longest.
    """
    if len(children) == 1:
        return children
    starts, ends, spans = tree.starts, tree.ends, tree.spans
    distinct = {ends[child] for child in children}
    if len(distinct) == len(children) and max(distinct) <= high:
        return sorted(children, key=ends.__getitem__, reverse=True)
    return sorted(children, key=lambda child: (-min(ends[child], high), starts[child], -ends[child], spans[child].name))
