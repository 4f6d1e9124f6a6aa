"""payload-growth: an operation is slower and gives back many times as much as before.

    A   GET /export |----|  40 rows         B   GET /export |-----------------|  9,000 rows

The amount explains the time better than "slower" does: the next question is who asks for so much, or who no longer
limits it. So it is when the time lies between the caller and what it called: a large body takes long to send, after it
took long to make. Without a change of time it is only told among what else changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis import semconv
from analysis.comparison import CauseKind
from analysis.findings import slow_edge, slow_operation
from analysis.findings.base import because, differs, name_of
from analysis.findings.differences import Size, sizes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.attribute import Share
    from analysis.findings.base import Candidate, Context

CODE = "payload-growth"
TITLE = "Larger payload"


def find(context: Context) -> Iterable[Candidate]:
    """Yield operations whose results grew."""
    return grown(context, CODE, TITLE, of_request=False)


def grown(context: Context, code: str, title: str, *, of_request: bool) -> Iterable[Candidate]:
    """Yield operations that handle much more than before: of their requests, or of their results."""
    yield from _carried(context, code, title, of_request=of_request)
    for share in context.attribution.shares:
        pair = share.pair
        growth = slow_operation.grew(share, context)
        handles = pair.key.kind in semconv.SERVING and pair.baseline and pair.suspect
        if not growth and not handles:
            continue
        larger = [size for size in sizes(pair, context) if size.of_request is of_request and _more(size, context)]
        if larger:
            yield _candidate(share, growth, larger, context, code, title)


def _carried(context: Context, code: str, title: str, *, of_request: bool) -> Iterable[Candidate]:
    """Yield slower edges over which more bytes go than before, as either end says."""
    for edge, growth in slow_edge.slow_edges(context):
        larger = [
            size
            for size in dict.fromkeys((*sizes(edge.pair, context), *sizes(edge.server, context)))
            if size.of_request is of_request and _in_bytes(size.name) and _more(size, context)
        ]
        if larger:
            made = slow_edge.slower(edge, growth, context)
            making = slow_operation.grew(context.share_of[id(edge.server)], context)
            if making and not set(larger).isdisjoint(sizes(edge.server, context)):
                made.claims[id(edge.server)] = making
            yield because(made, code, title, _most(larger), [size.text for size in larger])


def _more(size: Size, context: Context) -> bool:
    """Tell whether a size grew in the direction of the change, by enough to cost something."""
    before, after = (size.suspect, size.baseline) if context.mirrored else (size.baseline, size.suspect)
    floor = context.options.payload_bytes if _in_bytes(size.name) else context.options.payload_items
    return after - before >= floor


def _in_bytes(name: str) -> bool:
    return any(word in name.lower() for word in ("byte", "body", "length", "payload", "message.size"))


def _candidate(share: Share, growth: int, larger: list[Size], context: Context, code: str, title: str) -> Candidate:
    what = _most(larger)
    evidence = [size.text for size in larger]
    if growth:
        return slow_operation.because(share, growth, context, code, title, what, evidence)
    service, operation = name_of(share.pair, context)
    return differs(
        code,
        title,
        CauseKind.SELF_TIME_INCREASE,
        share.pair,
        context,
        summary=f"{operation} in {service}: {what}",
        evidence=evidence,
    )


def _most(larger: list[Size]) -> str:
    """Say the size that grew most."""
    size = max(larger, key=lambda size: (size.suspect / size.baseline, size.name))
    return f"{size.name} is {size.suspect:,} instead of {size.baseline:,}"
