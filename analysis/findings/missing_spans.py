"""missing-spans: a call is on both sides, but what it called sent spans on one side only.

    A   POST catalog |--------------|       B   POST catalog |--------------|
          GET /items   |----------|                            (nothing)

Sampled away, lost on the way, not instrumented, or never reached: the trace cannot see inside the call there. It is
no new and no removed call, and how long the other end took is unknown on that side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.comparison import CauseKind
from analysis.findings.base import differs, name_of
from analysis.format import count
from analysis.model import SpanKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.align import Pair
    from analysis.findings.base import Candidate, Context

CODE = "missing-spans"
TITLE = "Cannot see inside"

ENDS = {SpanKind.CLIENT: SpanKind.SERVER, SpanKind.PRODUCER: SpanKind.CONSUMER}


def find(context: Context) -> Iterable[Candidate]:
    """Yield calls whose other end shows on one side only, once per service and side."""
    told: set[tuple[str, bool]] = set()
    for call in context.alignment.pairs:
        for end in call.children:
            if not unseen(end) or (end.key.service, bool(end.suspect)) in told:
                continue
            told.add((end.key.service, bool(end.suspect)))
            service, operation = name_of(call, context)
            dark, lit = ("A", "B") if end.suspect else ("B", "A")
            share = context.share_of[id(end)]
            calls = max(share.baseline.calls, share.suspect.calls)
            yield differs(
                CODE,
                TITLE,
                CauseKind.WAIT_GAP,
                call,
                context,
                peer_service=end.key.service,
                summary=f"{end.key.service} sent no spans for {operation} of {service} in {dark}: "
                "the trace cannot see inside that call there",
                evidence=[f"{count(calls, 'span')} of {end.key.service} in {lit}, none in {dark}"],
            )


def unseen(end: Pair) -> bool:
    """Tell whether a pair is the far end of a call that both sides make, and only one side shows it."""
    call = end.parent
    if (
        end.how == "layer"
        or call is None
        or not call.baseline
        or not call.suspect
        or bool(end.baseline) == bool(end.suspect)
    ):
        return False
    return ENDS.get(call.key.kind) is end.key.kind and end.key.service != call.key.service
