"""timed-out: a call fails because its time ran out, known by its words or by the round duration it ends at.

    A   charge |---|                        B   charge |--------------------X  3.00 s
          POST /pay |-|                           POST /pay |----------------------------|
                                                                             ^ the callee goes on, unheard

A round duration is a guess, and counts only where the span gives no reason, or says no more than that it was cancelled.
A limit that several calls hit shows as a plateau: they all end after the same time. What the caller waited for is
the question; the limit only decided when it stopped.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from analysis import semconv
from analysis.findings.errors import beginnings, describe, failed_spans, failure, out_of_time, timeout_of, worst_of
from analysis.format import duration
from analysis.model import SpanKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.align import Pair
    from analysis.findings.base import Candidate, Context
    from analysis.model import Span

MESSAGES = (SpanKind.PRODUCER, SpanKind.CONSUMER)  # nobody waits for what becomes of them

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
        evidence = [*made.evidence[:1], *_limit(pair, took, context), *made.evidence[1:]]
        awaited = _awaited(pair, context)
        if awaited is not None:
            evidence.append(_unheard(*awaited, made.service))
        yield replace(
            made,
            finding=CODE,
            title=TITLE,
            peer_service=made.peer_service or (semconv.peer(awaited[1]) if awaited else "") or None,
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


def _awaited(pair: Pair, context: Context) -> tuple[int, Span] | None:
    """Return the call that went on longest (ns) after its caller had given up, if any did."""
    tree = context.suspect.tree
    late: list[tuple[int, Span]] = [
        (tree.ends[child] - tree.ends[i], tree.spans[child])
        for group in pair.suspect
        for i in group.spans
        if tree.spans[i].error
        for child in tree.children[i]
        if not tree.spans[child].follows_from and tree.spans[child].kind not in MESSAGES
    ]
    longest = max(late, key=itemgetter(0), default=None)
    return longest if longest is not None and longest[0] > context.options.overhang_ns else None


def _unheard(over_ns: int, called: Span, caller: str) -> str:
    """Say that what was called went on unheard."""
    if called.service != caller:
        return f"{called.service} worked on for {duration(over_ns)} after its caller had given up"
    place = semconv.peer(called)
    return f"it was waiting for {called.name}{f' to {place}' if place else ''}, which went on for {duration(over_ns)}"
