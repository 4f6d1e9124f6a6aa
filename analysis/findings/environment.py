"""version-changed, exception-recorded, flag-changed: what differs around the request without taking time by itself.

    A   catalog 1.4.2   GET /items |-----|        B   catalog 1.5.0   GET /items |-----|
                                                                          ^ exception recorded, span still ok

A version that changed is the first thing to ask about in an incident. An exception that a span recorded and
survived is a change of behaviour even when the span reports success. Instances change with every request behind a
load balancer; they are evidence of a cause, never a cause.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis import semconv
from analysis.comparison import CauseKind
from analysis.findings.base import Candidate, Context, Tier, longest_spans, name_of
from analysis.findings.errors import describe, exception

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.align import Pair
    from analysis.profile import CallGroup, Profile


def find(context: Context) -> Iterable[Candidate]:
    """Yield changed versions (once per service) and exceptions that are new on spans that report success."""
    told: set[tuple[str, str, str]] = set()
    for pair in context.alignment.pairs:
        if not pair.baseline or not pair.suspect:
            continue
        old, new = versions(pair.baseline, context.baseline), versions(pair.suspect, context.suspect)
        if old and new and old != new and (pair.key.service, old, new) not in told:
            told.add((pair.key.service, old, new))
            yield _version(pair, old, new, context)
        recorded = _survived(pair.suspect, context.suspect)
        if recorded and not recorded & _survived(pair.baseline, context.baseline):
            yield _exception(pair, recorded, context)


def versions(groups: list[CallGroup], side: Profile) -> str:
    """Return the versions of the service behind some groups, joined."""
    spans = side.tree.spans
    resources = {id(spans[i].resource): spans[i].resource for group in groups for i in group.spans}
    return "/".join(sorted({semconv.version(resource) for resource in resources.values()} - {""}))


def _version(pair: Pair, old: str, new: str, context: Context) -> Candidate:
    service, operation = name_of(pair, context)
    baseline_ids, suspect_ids = context.span_ids(pair)
    return Candidate(
        finding="version-changed",
        title="Version changed",
        kind=CauseKind.VERSION_CHANGE,
        tier=Tier.CONTEXT,
        service=service,
        operation=operation,
        pair=pair,
        claims={},
        affects="nothing",
        certain=True,
        summary=f"{service} is version {new} instead of {old}",
        evidence=[f"{service} is version {old} in A and {new} in B"],
        baseline_spans=baseline_ids,
        suspect_spans=suspect_ids,
    )


def _survived(groups: list[CallGroup], side: Profile) -> set[str]:
    """Return the types of exceptions recorded on spans that report success."""
    found = set()
    for group in groups:
        for i in group.spans:
            span = side.tree.spans[i]
            if span.events and not span.error:
                event = exception(span)
                if event is not None:
                    found.add(semconv.first(event.attributes, ("exception.type",)) or "exception")
    return found


def _exception(pair: Pair, recorded: set[str], context: Context) -> Candidate:
    service, operation = name_of(pair, context)
    span = next(
        span
        for group in pair.suspect
        for span in context.suspect.spans_of(group)
        if not span.error and exception(span) is not None
    )
    return Candidate(
        finding="exception-recorded",
        title="Exception recorded",
        kind=CauseKind.ERROR,
        tier=Tier.CONTEXT,
        service=service,
        operation=operation,
        pair=pair,
        claims={},
        affects="nothing",
        certain=True,
        summary=f"{operation} in {service} records {describe(span)} and reports success",
        evidence=[f"{', '.join(sorted(recorded))} is recorded in B, not in A; the span's status is ok"],
        baseline_spans=longest_spans(pair.baseline, context.baseline, context.options.max_span_ids),
        suspect_spans=[span.span_id],
    )
