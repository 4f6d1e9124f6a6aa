"""Where to look for traces."""

from __future__ import annotations

from msgspec import Struct

from bot.sources.base import TraceQuery, TraceSource, TraceSummary


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

    async def services(self, window: tuple[int, int]) -> list[str]:
        """List services; see `TraceSource`."""
        return await self.source.services(window=window, tenant=self.tenant, deadline_s=self.deadline_s)

    async def operations(self, service: str, window: tuple[int, int]) -> list[str]:
        """List a service's operations; see `TraceSource`."""
        return await self.source.operations(service, window=window, tenant=self.tenant, deadline_s=self.deadline_s)
