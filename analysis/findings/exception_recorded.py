"""exception-recorded: a span recorded an exception that is new, and reports success all the same.

    A   load |-----| ok                     B   load |--*--| ok
                                                        CacheMiss

Somebody caught it: a fallback, a default, a swallowed failure. It is a change of behaviour without an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis import semconv
from analysis.comparison import CauseKind
from analysis.findings.base import differs, name_of
from analysis.findings.errors import describe, exception

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.findings.base import Candidate, Context
    from analysis.profile import CallGroup, Profile

CODE = "exception-recorded"
TITLE = "Exception recorded"


def find(context: Context) -> Iterable[Candidate]:
    """Yield operations that record an exception type the baseline does not, on spans that report success."""
    for pair in context.alignment.pairs:
        if not pair.baseline or not pair.suspect:
            continue
        recorded = _survived(pair.suspect, context.suspect)
        if not recorded or recorded & _survived(pair.baseline, context.baseline):
            continue
        service, operation = name_of(pair, context)
        span = next(
            span
            for group in pair.suspect
            for span in context.suspect.spans_of(group)
            if not span.error and exception(span) is not None
        )
        yield differs(
            CODE,
            TITLE,
            CauseKind.ERROR,
            pair,
            context,
            certain=True,
            summary=f"{operation} in {service} records {describe(span)} and reports success",
            evidence=[f"{', '.join(sorted(recorded))} is recorded in B, not in A; the span's status is ok"],
            suspect_spans=[span.span_id],
        )


def _survived(groups: list[CallGroup], side: Profile) -> set[str]:
    """Return the types of exceptions recorded on spans that report success."""
    found = set()
    for group in groups:
        for i in group.eventful:
            span = side.tree.spans[i]
            if not span.error:
                event = exception(span)
                if event is not None:
                    found.add(semconv.first(event.attributes, ("exception.type",)) or "exception")
    return found
