"""slow-instance: of several instances that do the same work, one is slow and the others are as before.

    A   price @1 |--|  price @2 |--|        B   price @1 |--|  price @2 |------------|
                                                               ^ every call that met instance 2

The operation is not slow; where it happened to run is. Compared are the calls of one operation within B.
"""

from __future__ import annotations

from collections import defaultdict
from statistics import median
from typing import TYPE_CHECKING

from analysis import semconv
from analysis.findings import slow_operation
from analysis.format import count, duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.align import Pair
    from analysis.findings.base import Candidate, Context

CODE = "slow-instance"
TITLE = "Slow instance"


def find(context: Context) -> Iterable[Candidate]:
    """Yield slower operations of which only one instance is slow."""
    if context.mirrored:
        return
    for share in context.attribution.shares:
        growth = slow_operation.grew(share, context) if share.suspect.calls > 1 else 0
        if not growth:
            continue
        reason = _one_of_several(share.pair, context)
        if reason:
            yield slow_operation.because(share, growth, context, CODE, TITLE, reason, [reason])


def _one_of_several(pair: Pair, context: Context) -> str:
    """Say which instance is slow while every other one works as the baseline did; "" when that is not so."""
    tree = context.suspect.tree
    by_instance: dict[str, list[int]] = defaultdict(list)
    for group in pair.suspect:
        for i in group.spans:
            by_instance[semconv.instance(tree.spans[i].resource)].append(tree.ends[i] - tree.starts[i])
    if len(by_instance) < 2:
        return ""
    usual = {name: int(median(durations)) for name, durations in by_instance.items()}
    slow = max(sorted(usual), key=usual.__getitem__)
    others = max(ns for name, ns in usual.items() if name != slow)
    before = context.baseline.tree
    baseline = median(before.ends[i] - before.starts[i] for group in pair.baseline for i in group.spans)
    options = context.options
    as_before = others <= options.slower_ratio * baseline + options.group_noise_ns
    if not as_before or usual[slow] < options.first_call_ratio * others:
        return ""
    return (
        f"{count(len(by_instance[slow]), 'call')} on {slow} took {duration(usual[slow])}, elsewhere {duration(others)}"
    )
