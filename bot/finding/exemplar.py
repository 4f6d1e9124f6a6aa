"""Find the trace that shows what an alert is about: a failing one, or a slow one, of its window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from bot.errors import SourceError, UserError
from bot.finding import choosing
from bot.requests.wording import between, named
from bot.sources.base import MOST, Order, TraceQuery, TraceSummary

if TYPE_CHECKING:
    from bot.finding.place import Place

CUT_OFF = 20  # fewer traces than this are all that match: the least that any backend sends at once
CLIMBS = 3  # searches for something slower still: backends send any that match, not the slowest
LAG_S = 90  # a search finds what began longer ago than this; Tempo needs half a minute, queues on the way more


class Exemplar(Struct, frozen=True, kw_only=True):
    """A trace of an alert's window, and what it stands for."""

    summary: TraceSummary
    source: str
    words: str  # "slowest of 31 traces of checkout, 13:30-14:00 UTC"


async def find_exemplar(
    place: Place, service: str, operation: str | None, window: tuple[int, int], *, failing: bool, now: int
) -> Exemplar:
    """Find the slowest request of a service (and operation) in a window, among those that failed if `failing`.

    Where none failed, the slowest is taken. `window` and `now` are unix seconds. Raises `UserError` that says what
    is not known, or that it may be too early; `SourceError` when the source cannot be searched.
    """
    query = TraceQuery(
        service=service, operation=operation, window=window, only_errors=failing, order=Order.SLOWEST, limit=MOST
    )
    found = await place.search(query)
    failed = failing and bool(found)
    if failing and not found:
        query = msgspec.structs.replace(query, only_errors=False)
        found = await place.search(query)
    if not found:
        raise await nothing_found(place, query, now)
    seen = {summary.trace_id: summary for summary in found}
    for _ in range(CLIMBS):
        if len(found) < CUT_OFF:
            break
        slower = msgspec.structs.replace(query, min_duration_ns=found[0].took_ns + 1_000_000)
        found = await place.search(slower)
        if not found:
            break
        seen.update((summary.trace_id, summary) for summary in found)
    # A trace whose root has not arrived is a last choice: half of what it should show is missing.
    best = max(seen.values(), key=lambda summary: (bool(summary.root_service), summary.took_ns, summary.trace_id))
    what = "slowest failing" if failed else "slowest"
    when = between(window, now)
    of = f"of {len(seen)} traces of {named(service, operation)}, {when}"
    return Exemplar(summary=best, source=place.name, words=f"{what} {of}")


async def nothing_found(place: Place, query: TraceQuery, now: int) -> UserError:
    """Say why nothing was found: a name that is not known, a search that lags, or simply no traffic."""
    try:
        unknown = await _unknown(place, query)
    except SourceError:
        unknown = None  # the search itself was answered: that nothing was found is certain
    if unknown is not None:
        return unknown
    what = named(query.service, query.operation)
    if now - query.window[0] < LAG_S:
        return UserError("search-lags", source=place.name, what=what)
    return UserError("nothing-found", source=place.name, what=what, when=between(query.window, now))


async def _unknown(place: Place, query: TraceQuery) -> UserError | None:
    """Say which of the names that were searched for the source does not know."""
    services = await place.services(query.window)
    if services and query.service not in services:
        hint = choosing.did_you_mean(query.service, services)
        return UserError("unknown-service", source=place.name, service=query.service, hint=hint)
    if query.operation is None:
        return None
    operations = await place.operations(query.service, query.window)
    if not operations or query.operation in operations:
        return None
    hint = choosing.did_you_mean(query.operation, operations)
    return UserError(
        "unknown-operation", source=place.name, service=query.service, operation=query.operation, hint=hint
    )
