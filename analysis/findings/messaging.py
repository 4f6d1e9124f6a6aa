"""messaging-delay: a consumer starts later after its message was sent than it did before.

    A   send |-|                            B   send |-|
        process   |----|                        process                   |----|
               wait                                     wait in the queue

The response does not wait for it: the delay counts towards the completion time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.comparison import CauseKind
from analysis.findings.base import Candidate, Context, Tier, name_of
from analysis.format import duration
from analysis.model import SpanKind
from analysis.profile import queue_wait

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.align import Pair

CODE = "messaging-delay"
TITLE = "Queue delay"


def find(context: Context) -> Iterable[Candidate]:
    """Yield consumers that waited much longer for their messages."""
    for pair in context.alignment.pairs:
        if pair.key.kind is not SpanKind.CONSUMER or not pair.baseline or not pair.suspect:
            continue
        a, b = queue_wait(pair.baseline, context.baseline), queue_wait(pair.suspect, context.suspect)
        growth = b - a  # also when the response is faster: the two have nothing to do with each other
        options = context.options
        if growth < options.queue_delay_floor_ns or b < options.queue_delay_ratio * a:
            continue
        service, operation = name_of(pair, context)
        baseline_ids, suspect_ids = context.span_ids(pair)
        sender = pair.parent.key.service if pair.parent is not None else ""
        detached = _detached(pair)
        yield Candidate(
            finding=CODE,
            title=TITLE,
            kind=CauseKind.MESSAGING_DELAY,
            tier=Tier.STRUCTURE,
            service=service,
            operation=operation,
            peer_service=sender or None,
            pair=pair,
            claims={} if detached else _waited_for(pair, growth, context),
            off_path_ns=growth if detached else 0,
            affects="completion" if detached else "response",
            summary=f"{operation} in {service} starts {duration(b)} after its message was sent, not {duration(a)}",
            evidence=[
                f"waiting in the queue: {duration(a)} in A, {duration(b)} in B",
                f"processing itself: {_each(pair, context, 0)} in A, {_each(pair, context, 1)} in B",
            ],
            baseline_spans=baseline_ids,
            suspect_spans=suspect_ids,
        )


def _detached(pair: Pair) -> bool:
    return all(group.detached for group in pair.suspect)


def _waited_for(pair: Pair, growth: int, context: Context) -> dict[int, int]:
    """Claim the callers' time in which the response waited for the message to be taken."""
    claims = {}
    above = pair.parent
    while above is not None and growth > 0:
        held_up = min(growth, max(0, context.growth(context.share_of[id(above)])))
        if held_up:
            claims[id(above)] = held_up
            growth -= held_up
        above = above.parent
    return claims


def _each(pair: Pair, context: Context, side: int) -> str:
    share = context.share_of[id(pair)]
    sums = (share.baseline, share.suspect)[side]
    return duration(sums.total_ns // max(1, sums.calls))
