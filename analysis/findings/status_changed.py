"""status-changed: an operation gives another answer, and nobody calls it an error.

    A   GET /items/7 |-----| 200            B   GET /items/7 |--| 404     the span's status is still unset

A 404, a redirect or a partial answer is not marked as an error on the server's side, but it is another answer; what
the request cost afterwards follows from it. Answers that refuse are told one by one, also when they are new among
others; all that serve, and all that point elsewhere, are alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis import semconv
from analysis.comparison import CauseKind
from analysis.findings.base import differs, name_of
from analysis.findings.differences import listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.findings.base import Candidate, Context
    from analysis.profile import CallGroup, Profile

CODE = "status-changed"
TITLE = "Another answer"


def find(context: Context) -> Iterable[Candidate]:
    """Yield operations that give another answer, the innermost of a chain that passes it on."""
    told: set[tuple[str, str]] = set()
    for pair in reversed(context.alignment.pairs):
        share = context.share_of[id(pair)]
        if not pair.baseline or not pair.suspect or share.baseline.errors or share.suspect.errors:
            continue
        before, after = _codes(pair.baseline, context.baseline), _codes(pair.suspect, context.suspect)
        if before == after or not _another(before, after):
            continue
        answer = (listed(before, context), listed(after, context))
        if answer in told:
            continue
        told.add(answer)
        service, operation = name_of(pair, context)
        yield differs(
            CODE,
            TITLE,
            CauseKind.ERROR,
            pair,
            context,
            certain=any(map(semconv.failing, after)),
            summary=f"{operation} in {service} answers {answer[1]} instead of {answer[0]}",
            evidence=[f"status {answer[0]} in A, {answer[1]} in B; no span calls it an error"],
        )


def _another(before: set[str], after: set[str]) -> bool:
    """Tell whether two sets of codes have no answer in common, or no refusal where there are some."""
    if not before or not after:
        return False
    refused = [{code for code in codes if semconv.failing(code)} for codes in (before, after)]
    if any(refused):
        return refused[0].isdisjoint(refused[1])
    return {code[0] for code in before}.isdisjoint(code[0] for code in after)


def _codes(groups: list[CallGroup], side: Profile) -> set[str]:
    """Return the HTTP status codes that spans state."""
    if side.names.isdisjoint(semconv.HTTP_STATUS):
        return set()
    stated = {semconv.http_status(side.tree.spans[i]) for group in groups for i in group.spans}
    return {code for code in stated if code.isdigit()}
