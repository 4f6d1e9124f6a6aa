"""error-changed: an operation fails on both sides, but for another reason.

    A   charge |---X  CardDeclined          B   charge |-----------X  ReadTimeout

Reasons are compared by status code, exception type, and the message without what varies in it. The baseline was no
healthy request either; what is new is the reason. It is told where it began, not again by the callers that pass
it on, and as the reason for the time where the call takes longer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from msgspec.structs import replace

from analysis.comparison import CauseKind
from analysis.findings import slow_operation
from analysis.findings.base import differs, name_of
from analysis.findings.errors import describe, peer_of, reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.align import Pair
    from analysis.findings.base import Candidate, Context
    from analysis.model import Span
    from analysis.profile import CallGroup, Profile

CODE = "error-changed"
TITLE = "Another error"

Reason: TypeAlias = tuple[str, str, str]  # see `reason`


def find(context: Context) -> Iterable[Candidate]:
    """Yield operations whose failures have no reason in common, each reason told where it shows first."""
    told: set[tuple[Reason, Reason]] = set()
    above: set[int] = set()  # callers of what was told: failures travel upwards, in words of their own
    for pair in reversed(context.alignment.pairs):  # callees before their callers: the deepest place names it
        share = context.share_of[id(pair)]
        if not share.baseline.errors or not share.suspect.errors or id(pair) in above:
            continue
        before, after = (
            _reasons(groups, side, context)
            for groups, side in ((pair.baseline, context.baseline), (pair.suspect, context.suspect))
        )
        if before.keys() & after.keys():
            continue
        outer = pair.parent
        while outer is not None and id(outer) not in above:
            above.add(id(outer))
            outer = outer.parent
        (why_a, old), (why_b, new) = next(iter(before.items())), next(iter(after.items()))
        if (why_a, why_b) in told:
            continue
        told.add((why_a, why_b))
        yield _another(pair, old, new, context)


def _another(pair: Pair, old: list[Span], new: list[Span], context: Context) -> Candidate:
    """Return the candidate of another reason: it is that of the time as well where the call itself takes longer."""
    share = context.share_of[id(pair)]
    was, why = describe(old[0]), describe(new[0])
    evidence = [f"in A: {was}", f"in B: {why}"]
    growth = slow_operation.grew(share, context)
    if growth:
        how = f"it fails for another reason, {why} instead of {was}"
        return replace(
            slow_operation.because(share, growth, context, CODE, TITLE, how, evidence),
            kind=CauseKind.ERROR,
            certain=True,
        )
    service, operation = name_of(pair, context)
    limit = context.options.max_span_ids
    return differs(
        CODE,
        TITLE,
        CauseKind.ERROR,
        pair,
        context,
        peer_service=peer_of(pair, context),
        certain=True,
        summary=f"{operation} in {service} fails for another reason: {why} instead of {was}",
        evidence=evidence,
        baseline_spans=[span.span_id for span in old[:limit]],
        suspect_spans=[span.span_id for span in new[:limit]],
    )


def _reasons(groups: list[CallGroup], side: Profile, context: Context) -> dict[Reason, list[Span]]:
    """Group failing spans by why they failed, in time order."""
    found: dict[Reason, list[Span]] = {}
    for group in groups:
        for span in side.spans_of(group):
            if span.error:
                found.setdefault(reason(span, context.clean), []).append(span)
    return found
