"""error-gone: an operation that failed in A succeeds in B.

    A   charge |--X                         B   charge |-------|

Then A is no healthy baseline: B may be slower just because it goes on where A gave up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.comparison import CauseKind
from analysis.findings.base import Candidate, Context, Tier, name_of
from analysis.findings.errors import describe, endings, peer_of
from analysis.format import count

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.align import Pair

CODE = "error-gone"
TITLE = "Error gone"


def find(context: Context) -> Iterable[Candidate]:
    """Yield operations where failures of the baseline began that the suspect does not have."""
    for pair in endings(context).started:
        share = context.share_of[id(pair)]
        failed = [span for group in pair.baseline for span in context.baseline.spans_of(group) if span.error]
        service, operation = name_of(pair, context)
        outcome = (
            f"{count(share.suspect.calls, 'call')} in B without it" if pair.suspect else "B does not make the call"
        )
        yield Candidate(
            finding=CODE,
            title=TITLE,
            kind=CauseKind.ERROR,
            tier=Tier.FAILURE if context.mirrored else Tier.CONTEXT,
            service=service,
            operation=operation,
            peer_service=peer_of(pair, context),
            pair=pair,
            claims=_claims(pair, context) if context.mirrored else {},
            affects="response" if context.mirrored else "nothing",
            certain=True,
            summary=f"{operation} in {service} no longer fails: in A {describe(failed[0])}",
            evidence=[f"{share.baseline.errors} of {share.baseline.calls} calls fail in A; {outcome}"],
            baseline_spans=[span.span_id for span in failed[: context.options.max_span_ids]],
            suspect_spans=context.span_ids(pair)[1],
        )


def _claims(pair: Pair, context: Context) -> dict[int, int]:
    """Claim the time of the failing calls and of the waits between them (ns by pair): B needs neither."""
    claims = {key: max(0, ns) for key, ns in context.claims_below(pair).items()}
    if pair.parent is not None:
        claims[id(pair.parent)] = max(0, context.growth(context.share_of[id(pair.parent)]))
    return claims
