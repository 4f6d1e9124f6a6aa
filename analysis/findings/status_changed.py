"""status-changed: an operation answers with another class of status code, and nobody calls it an error.

    A   GET /items/7 |-----| 200            B   GET /items/7 |--| 404     the span's status is still unset

A 404, a redirect or a partial answer is not marked as an error on the server's side, but it is another answer; what
the request cost afterwards follows from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis import semconv
from analysis.comparison import CauseKind
from analysis.findings.base import Candidate, Context, Tier, name_of
from analysis.findings.differences import listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.profile import CallGroup, Profile

CODE = "status-changed"
TITLE = "Another answer"

LOOKED_AT = 20  # spans of one side


def find(context: Context) -> Iterable[Candidate]:
    """Yield operations that answer with another class of codes, the innermost of a chain that passes it on."""
    told: set[tuple[str, str]] = set()
    for pair in reversed(context.alignment.pairs):
        share = context.share_of[id(pair)]
        if not pair.baseline or not pair.suspect or share.baseline.errors or share.suspect.errors:
            continue
        after = _codes(pair.suspect, context.suspect)
        before = _codes(pair.baseline, context.baseline) if after else set()
        if not before or {code[0] for code in before} & {code[0] for code in after}:
            continue
        answer = (listed(before), listed(after))
        if answer in told:
            continue
        told.add(answer)
        service, operation = name_of(pair, context)
        baseline_ids, suspect_ids = context.span_ids(pair)
        yield Candidate(
            finding=CODE,
            title=TITLE,
            kind=CauseKind.ERROR,
            tier=Tier.CONTEXT,
            service=service,
            operation=operation,
            pair=pair,
            claims={},
            affects="nothing",
            certain=any(code[0] in "45" for code in after),
            summary=f"{operation} in {service} answers {answer[1]} instead of {answer[0]}",
            evidence=[f"status {answer[0]} in A, {answer[1]} in B; no span calls it an error"],
            baseline_spans=baseline_ids,
            suspect_spans=suspect_ids,
        )


def _codes(groups: list[CallGroup], side: Profile) -> set[str]:
    """Return the HTTP status codes of some spans."""
    spans = [side.tree.spans[i] for group in groups for i in group.spans[:LOOKED_AT]][:LOOKED_AT]
    return {code for code in (semconv.first(span.attributes, semconv.HTTP_STATUS) for span in spans) if code.isdigit()}
