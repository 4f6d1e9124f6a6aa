"""rate-limited: the other end refuses because of a limit (429, RESOURCE_EXHAUSTED), and the caller waits or gives up.

    A   sync |----|                         B   sync |--------------------------------|
          POST |-|                                POST |X|    |X|            |X|   |-|
                                                        429 wait  429  wait longer

The calls themselves are quick; the time goes into waiting for the next try. Whoever set the limit is named as the
other end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from analysis import semconv
from analysis.findings import retries
from analysis.findings.errors import beginnings, describe, failure, worst_of
from analysis.format import count

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.align import Pair
    from analysis.findings.base import Candidate, Context

CODE = "rate-limited"
TITLE = "Rate limited"


def find(context: Context) -> Iterable[Candidate]:
    """Yield calls that are refused by a limit: tried again, or failed for good."""
    for caller, pair, runs in retries.chains(context):
        if semconv.throttled(runs[0][0]):
            made = retries.again(caller, pair, runs, context)
            yield _limited(made, pair, context, f"; {len(runs[0])} tries")
    failures = beginnings(context)
    for pair in failures.started:
        if semconv.throttled(worst_of(pair, context)):
            yield _limited(failure(pair, failures, context), pair, context, "")


def _limited(made: Candidate, pair: Pair, context: Context, tries: str) -> Candidate:
    side = context.suspect
    refused = [span for group in pair.suspect for span in side.spans_of(group) if semconv.throttled(span)]
    by = f" by {made.peer_service}" if made.peer_service else ""
    return replace(
        made,
        finding=CODE,
        title=TITLE,
        summary=f"{made.operation} in {made.service} is refused{by} because of a rate limit: "
        f"{describe(refused[0])}{tries}",
        evidence=[f"{count(len(refused), 'call')} refused in B: {describe(refused[0])}", *made.evidence],
    )
