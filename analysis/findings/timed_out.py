"""timed-out: a call fails because its time ran out, known by its words or by the round duration it ends at.

    A   charge |---|                        B   charge |--------------------X  3.00 s
          POST /pay |-|                           POST /pay |----------------------------|
                                                                             ^ the callee goes on, unheard

A limit that several calls hit shows as a plateau: they all end after the same time. What the caller waited for is
the question; the limit only decided when it stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from analysis import semconv
from analysis.findings.errors import beginnings, describe, failed_spans, failure, out_of_time, timeout_of, worst_of
from analysis.format import duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.align import Pair
    from analysis.findings.base import Candidate, Context
    from analysis.model import Span

CODE = "timed-out"
TITLE = "Timed out"


def find(context: Context) -> Iterable[Candidate]:
    """Yield one candidate per place where calls ran out of time."""
    failures = beginnings(context)
    for pair in failures.started:
        worst = worst_of(pair, context)
        if semconv.throttled(worst) or not out_of_time(worst, context):
            continue
        made = failure(pair, failures, context)
        took = worst.end_ns - worst.start_ns
        evidence = [*made.evidence[:1], *_limit(pair, took, context), *made.evidence[1:], *_unheard(pair, context)]
        yield replace(
            made,
            finding=CODE,
            title=TITLE,
            summary=f"{made.operation} in {made.service} fails: {describe(worst)} after {duration(took)}",
            evidence=evidence,
        )


def _limit(pair: Pair, took: int, context: Context) -> Iterable[str]:
    limit = timeout_of(took, context)
    if limit:
        yield f"it ends after {duration(took)}, which looks like a timeout of {duration(limit)}"
    ends = [span.end_ns - span.start_ns for span in failed_spans(pair, context)]
    alike = [ns for ns in ends if abs(ns - took) <= context.options.timeout_slack * took]
    if len(alike) > 1:
        yield f"{len(alike)} calls end after the same time"


def _unheard(pair: Pair, context: Context) -> Iterable[str]:
    """Say how long what was called went on after its caller had given up."""
    tree = context.suspect.tree
    late: list[tuple[int, Span]] = [
        (tree.ends[child] - tree.ends[i], tree.spans[child])
        for group in pair.suspect
        for i in group.spans
        for child in tree.children[i]
        if tree.spans[i].error and tree.spans[child].service != tree.spans[i].service
    ]
    longest = max(late, key=lambda item: item[0], default=None)
    if longest is not None and longest[0] > context.options.overhang_ns:
        yield f"{longest[1].service} worked on for {duration(longest[0])} after its caller had given up"
