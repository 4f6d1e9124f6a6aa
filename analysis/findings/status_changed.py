"""status-changed: an operation answers with another class of status code, and nobody calls it an error.

    A   GET /items/7 |-----| 200            B   GET /items/7 |--| 404     the span's status is still unset

A 404, a redirect or a partial answer is not marked as an error on the server's side, but it is another answer; what
the request cost afterwards follows from it.
"""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

from analysis import semconv
from analysis.comparison import CauseKind
from analysis.findings.base import differs, name_of
from analysis.findings.differences import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analysis.findings.base import Candidate, Context
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
        first = next(_codes(pair.baseline, context.baseline), "")
        other = next(_codes(pair.suspect, context.suspect), "") if first else ""
        if not other or first[0] == other[0]:  # nearly always: then the rest need not be looked at
            continue
        before, after = set(_codes(pair.baseline, context.baseline)), set(_codes(pair.suspect, context.suspect))
        if {code[0] for code in before} & {code[0] for code in after}:
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
            certain=any(code[0] in "45" for code in after),
            summary=f"{operation} in {service} answers {answer[1]} instead of {answer[0]}",
            evidence=[f"status {answer[0]} in A, {answer[1]} in B; no span calls it an error"],
        )


def _codes(groups: list[CallGroup], side: Profile) -> Iterator[str]:
    """Yield the HTTP status codes of some spans."""
    if side.names.isdisjoint(semconv.HTTP_STATUS):
        return
    for i in islice(chain.from_iterable(group.spans for group in groups), LOOKED_AT):
        code = semconv.http_status(side.tree.spans[i])
        if code.isdigit():
            yield code
