"""error-changed: an operation fails on both sides, but for another reason.

    A   charge |---X  CardDeclined          B   charge |-----------X  ReadTimeout

Reasons are compared by exception type and by the message without what varies in it. The baseline was no healthy
request either; what is new is the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.comparison import CauseKind
from analysis.findings.base import differs, name_of
from analysis.findings.errors import describe, peer_of
from analysis.operation_key import template

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.findings.base import Candidate, Context
    from analysis.model import Span
    from analysis.profile import CallGroup, Profile

CODE = "error-changed"
TITLE = "Another error"


def find(context: Context) -> Iterable[Candidate]:
    """Yield operations whose failures have no reason in common, each reason told where it shows first."""
    told: set[tuple[str, str]] = set()
    for pair in reversed(context.alignment.pairs):  # callees before their callers: the deepest place names it
        share = context.share_of[id(pair)]
        if not share.baseline.errors or not share.suspect.errors:
            continue
        before, after = _reasons(pair.baseline, context.baseline), _reasons(pair.suspect, context.suspect)
        if before.keys() & after.keys():
            continue
        old, new = next(iter(before.values())), next(iter(after.values()))
        reason = (next(iter(before)), next(iter(after)))
        if reason in told:
            continue
        told.add(reason)
        service, operation = name_of(pair, context)
        why, formerly = describe(new[0]), describe(old[0])
        limit = context.options.max_span_ids
        yield differs(
            CODE,
            TITLE,
            CauseKind.ERROR,
            pair,
            context,
            peer_service=peer_of(pair, context),
            certain=True,
            summary=f"{operation} in {service} fails for another reason: {why} instead of {formerly}",
            evidence=[f"in A: {formerly}", f"in B: {why}"],
            baseline_spans=[span.span_id for span in old[:limit]],
            suspect_spans=[span.span_id for span in new[:limit]],
        )


def _reasons(groups: list[CallGroup], side: Profile) -> dict[str, list[Span]]:
    """Group failing spans by why they failed, in time order."""
    found: dict[str, list[Span]] = {}
    for group in groups:
        for span in side.spans_of(group):
            if span.error:
                found.setdefault(template(describe(span)), []).append(span)
    return found
