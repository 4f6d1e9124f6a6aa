"""Where to look: one source, for one tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from bot.errors import SourceError
from bot.finding import trend
from bot.sources.base import Found, TraceQuery, TraceSource, TraceSummary

if TYPE_CHECKING:
    from bot.finding.trend import Trend
    from bot.sources.metrics import Contrasts, Picked, Totals


class Place(Struct, frozen=True):
    """One source, asked for one tenant, with as much time for each question."""

    source: TraceSource
    tenant: str | None
    deadline_s: float

    @property
    def name(self) -> str:
        """What people call the source."""
        return self.source.settings.name

    async def search(self, query: TraceQuery) -> list[TraceSummary]:
        """Search; see `TraceSource`."""
        return await self.source.search(query, tenant=self.tenant, deadline_s=self.deadline_s)

    async def find(self, query: TraceQuery) -> Found:
        """Search, and say whether that is all there is; see `TraceSource`."""
        return await self.source.find(query, tenant=self.tenant, deadline_s=self.deadline_s)

    async def totals(self, query: TraceQuery) -> Totals | None:
        """Count and time all requests of a window; None where the source does not compute that, or not in time."""
        try:
            return await self.source.totals(query, tenant=self.tenant, deadline_s=self.deadline_s)
        except SourceError:
            return None

    async def contrasts(self, query: TraceQuery, picked: Picked) -> Contrasts | None:
        """Hold some of all requests of a window against the others; None as `totals`."""
        try:
            return await self.source.contrasts(query, picked, tenant=self.tenant, deadline_s=self.deadline_s)
        except SourceError:
            return None

    async def services(self, window: tuple[int, int]) -> list[str]:
        """List services; see `TraceSource`."""
        return await self.source.services(window=window, tenant=self.tenant, deadline_s=self.deadline_s)

    async def operations(self, service: str, window: tuple[int, int]) -> list[str]:
        """List a service's operations; see `TraceSource`."""
        return await self.source.operations(service, window=window, tenant=self.tenant, deadline_s=self.deadline_s)

    async def trend(
        self, service: str, operation: str, *, started_at: int, took_ns: int, failed: bool, now: int
    ) -> Trend | None:
        """Say how what happened to one request stands among all of its operation, over some hours.

        None where the source does not compute that, or not in time, or where there were too few requests: the answer
        stands without it. Times are unix seconds.
        """
        window = trend.window(started_at, now)
        try:
            if failed:
                failures = await self.source.failures(
                    service, operation, window=window, tenant=self.tenant, deadline_s=self.deadline_s
                )
                return trend.of_failures(failures, started_at)
            latencies = await self.source.latencies(
                service, operation, window=window, tenant=self.tenant, deadline_s=self.deadline_s
            )
            return trend.of_latencies(latencies, took_ns, started_at)
        except SourceError:
            return None
