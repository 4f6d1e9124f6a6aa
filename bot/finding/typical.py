"""Find the other traces of a suspect's operation: what is usual, and the typical one to compare with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from bot.errors import SourceError, UserError
from bot.finding import choosing
from bot.requests.wording import between, named
from bot.sources.base import MOST, FetchedTrace, TraceQuery, TraceSummary
from bot.sources.many import fetch_many

if TYPE_CHECKING:
    from analysis import RootCall
    from bot.finding.place import Place

SAMPLE_BYTES = 32 * 1024 * 1024  # fetched for one comparison; of very large traces fewer will do


class Others(Struct, frozen=True, kw_only=True):
    """Other traces of one operation, and where they were found. Windows are unix seconds."""

    operation: str  # for people
    traces: tuple[FetchedTrace, ...]
    window: tuple[int, int]  # from the first to the last of them
    started_at: int  # when the suspect began
    missing: int = 0  # found, but could not be fetched
    passed_over: tuple[int, int] | None = None  # closer to the suspect, but in the same trouble

    def words(self, size: int) -> str:
        """Say what the suspect was compared with; `size` is how many of the traces could be used."""
        when = between(self.window, self.started_at)
        one = f"the only other trace of {self.operation}, {when}"
        parts = [f"typical of {size} traces of {self.operation}, {when}" if size > 1 else one]
        if self.passed_over is not None:
            closer = between(self.passed_over, self.started_at)
            parts.append(f"passed over {closer}, when most requests were like this one")
        if self.window[0] > self.started_at:
            parts.append("all of them later: I found none before")
        if self.missing:
            parts.append(f"{self.missing} more could not be fetched")
        return "; ".join(parts)


class _Candidates(Struct, frozen=True):
    found: list[TraceSummary]
    passed_over: tuple[int, int] | None = None


async def find_others(place: Place, suspect: RootCall) -> Others:
    """Find and fetch traces of the suspect's operation that show what is usual: before it, in widening windows.

    Raises `UserError` when there are none, `SourceError` when the source cannot be searched.
    """
    operation = named(suspect.service, suspect.operation)
    if not suspect.service:
        raise UserError("no-root", trace=suspect.trace_id, source=place.name)
    candidates = await _before(place, suspect)
    if not candidates.found:
        found = await _search(place, suspect, choosing.window_after(suspect.started_at_ns))
        candidates = _Candidates(found)
    if not candidates.found:
        raise UserError("no-typical", operation=operation, source=place.name, trace=suspect.trace_id)
    wanted = choosing.spread(candidates.found)
    fetched = await fetch_many(
        place.source, wanted, tenant=place.tenant, deadline_s=place.deadline_s, max_bytes=SAMPLE_BYTES
    )
    return Others(
        operation=operation,
        traces=fetched.traces,
        window=choosing.span_of([s for s in wanted if s.trace_id in {trace.trace_id for trace in fetched.traces}]),
        started_at=suspect.started_at_ns // 1_000_000_000,
        missing=fetched.missing,
        passed_over=candidates.passed_over,
    )


async def _before(place: Place, suspect: RootCall) -> _Candidates:
    """Look back, window by window, until there is enough; pass over windows in the same trouble if others are not."""
    kept: list[TraceSummary] = []
    alike: list[TraceSummary] = []
    passed: list[tuple[int, int]] = []
    for window in choosing.windows_before(suspect.started_at_ns):
        started = suspect.started_at_ns // 1_000_000_000
        if (kept or alike) and started - window[0] > choosing.DAY_S + choosing.SHARED_S:
            break  # whatever was found within a day says more than what happened last week
        try:
            found = await _search(place, suspect, window)
        except SourceError:
            if not kept and not alike:
                raise
            break
        if choosing.like(suspect, found):
            passed.append(window)
            alike += found if len(alike) < choosing.ENOUGH else []
        else:
            kept += found
        if len(kept) >= choosing.ENOUGH:
            break
    if alike and len(kept) < choosing.FEW:
        return _Candidates(alike)  # requests like the suspect are what is usual
    over = [window for window in passed if kept and window[0] >= choosing.span_of(kept)[0]]
    return _Candidates(kept, choosing.around(over))


async def _search(place: Place, suspect: RootCall, window: tuple[int, int]) -> list[TraceSummary]:
    """Search for requests of the same root operation; where the caller sends no spans, for those without a root."""
    query = TraceQuery(
        service=suspect.service, operation=suspect.operation, root=not suspect.rootless, window=window, limit=MOST
    )
    found = [summary for summary in await place.search(query) if summary.trace_id != suspect.trace_id]
    if suspect.rootless:
        # Some backends name the topmost span that they have as the root, some name none.
        its = (suspect.service, suspect.operation)
        found = [s for s in found if not s.root_service or (s.root_service, s.root_operation) == its]
    return found
