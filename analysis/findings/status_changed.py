"""status-changed: an operation answers with another class of status code, and nobody calls it an error.

    A   GET /items/7 |-----| 200            B   GET /items/7 |--| 404     the span's status is still unset

A 404, a redirect or a partial answer is not marked as an error on the server's side, but it is another answer; what
the request cost afterwards follows from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis import semconv
from analysis.comparison import CauseKind
from analysis.findings.base import differs, name_of
from analysis.findings.differences import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analysis.align import Pair
    from analysis.findings.base import Candidate, Context
    from analysis.model import Span
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
        if _alike(pair, context):
            continue
        before = _codes(_answering(pair.baseline, context.baseline))
        after = _codes(_answering(pair.suspect, context.suspect))
        if not before or not after or {code[0] for code in before} & {code[0] for code in after}:
            continue
        answer = (listed(before), listed(after))
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


def _answering(groups: list[CallGroup], side: Profile) -> Iterator[Span]:
    """Yield some of the spans that state an HTTP status code."""
    if side.names.isdisjoint(semconv.HTTP_STATUS):
        return
    for i in [i for group in groups for i in group.spans[:LOOKED_AT]][:LOOKED_AT]:
        span = side.tree.spans[i]
        if not span.names.isdisjoint(semconv.HTTP_STATUS):
            yield span


def _alike(pair: Pair, context: Context) -> bool:
    """Tell whether no span answers, or the first of both sides do alike: then the rest need not be read."""
    a = next(_answering(pair.baseline, context.baseline), None)
    b = next(_answering(pair.suspect, context.suspect), None) if a else None
    if a is None or b is None:
        return True
    one, two = (semconv.first(span.attributes, semconv.HTTP_STATUS) for span in (a, b))
    return one.isdigit() and two.isdigit() and one[0] == two[0]


def _codes(spans: Iterable[Span]) -> set[str]:
    """Return the HTTP status codes of some spans."""
    return {code for code in (semconv.first(span.attributes, semconv.HTTP_STATUS) for span in spans) if code.isdigit()}
