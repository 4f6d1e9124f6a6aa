"""A source that is asked only for what the cache does not have.

Traces that are whole are kept, and searches of windows that lie in the past: both would be answered the same again.
What was not found is asked for again, and so is what concerns the present: services, metrics, searches up to now.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bot.cache.trace_cache import Kind
from bot.computing import computed
from bot.sources.base import FetchedTrace, Found
from bot.sources.settled import SETTLED_S, settled
from bot.sources.watched import WatchedSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.cache.trace_cache import TraceCache
    from bot.sources.base import TraceQuery, TraceSource, TraceSummary


class CachedSource(WatchedSource):
    """Does what `TraceSource` says; what the cache has is not asked, and counts as no question."""

    def __init__(self, source: TraceSource, cache: TraceCache, clock: Callable[[], float] = time.time) -> None:
        super().__init__(source)
        self._cache = cache
        self._clock = clock

    async def fetch(
        self, trace_id: str, *, window: tuple[int, int] | None, tenant: str | None, deadline_s: float
    ) -> FetchedTrace:
        """Fetch a trace."""
        asked = (*self._place(tenant), trace_id)
        known = await self._cache.get(Kind.TRACE, asked, FetchedTrace)
        if known is not None:
            return known
        trace = await super().fetch(trace_id, window=window, tenant=tenant, deadline_s=deadline_s)
        if await computed(settled, trace, window, self._clock()):
            await self._cache.put(Kind.TRACE, asked, trace)
        return trace

    async def search(self, query: TraceQuery, *, tenant: str | None, deadline_s: float) -> list[TraceSummary]:
        """Search for traces."""
        asked = (*self._place(tenant), "search", query)
        known = await self._known(query, asked)
        if known is None:
            traces = await super().search(query, tenant=tenant, deadline_s=deadline_s)
            known = await self._kept(query, asked, Found(traces, cut=False))
        return known.traces

    async def find(self, query: TraceQuery, *, tenant: str | None, deadline_s: float) -> Found:
        """Search for traces, and say whether that is all there is."""
        asked = (*self._place(tenant), "find", query)
        known = await self._known(query, asked)
        if known is None:
            found = await super().find(query, tenant=tenant, deadline_s=deadline_s)
            known = await self._kept(query, asked, found)
        return known

    def _place(self, tenant: str | None) -> tuple[str, str, str]:
        """Return what an answer depends on beside the question: another source or tenant has other traces."""
        return self.settings.name, self.settings.url, tenant or self.settings.tenant or ""

    def _past(self, query: TraceQuery) -> bool:
        return query.window[1] + SETTLED_S <= self._clock()

    async def _known(self, query: TraceQuery, asked: tuple[object, ...]) -> Found | None:
        return await self._cache.get(Kind.SEARCH, asked, Found) if self._past(query) else None

    async def _kept(self, query: TraceQuery, asked: tuple[object, ...], found: Found) -> Found:
        if found.traces and self._past(query):
            await self._cache.put(Kind.SEARCH, asked, found)
        return found
