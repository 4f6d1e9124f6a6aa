"""A source whose every question is timed, counted when it fails, and a span where tracing is on."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from opentelemetry.trace import SpanKind

from bot.errors import SourceError
from bot.telemetry import metrics
from bot.telemetry.steps import step

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from bot.sources.base import FetchedTrace, Found, TraceQuery, TraceSource, TraceSummary
    from bot.sources.metrics import Contrasts, Failures, Latency, Picked, Totals

Answered = TypeVar("Answered")


class WatchedSource:
    """Does what `TraceSource` says, by asking the source that it watches."""

    def __init__(self, source: TraceSource) -> None:
        self.settings = source.settings
        self._source = source
        metrics.begin(metrics.SOURCE_ERRORS, (self.settings.name,), SourceError.sentences)
        self._address = urlsplit(source.settings.url).hostname or ""

    async def fetch(
        self, trace_id: str, *, window: tuple[int, int] | None, tenant: str | None, deadline_s: float
    ) -> FetchedTrace:
        """Fetch a trace."""
        return await self._asked(
            "fetch", self._source.fetch(trace_id, window=window, tenant=tenant, deadline_s=deadline_s)
        )

    async def search(self, query: TraceQuery, *, tenant: str | None, deadline_s: float) -> list[TraceSummary]:
        """Search for traces."""
        return await self._asked("search", self._source.search(query, tenant=tenant, deadline_s=deadline_s))

    async def find(self, query: TraceQuery, *, tenant: str | None, deadline_s: float) -> Found:
        """Search for traces, and say whether that is all there is."""
        return await self._asked("search", self._source.find(query, tenant=tenant, deadline_s=deadline_s))

    async def services(self, *, window: tuple[int, int], tenant: str | None, deadline_s: float) -> list[str]:
        """Return the names of services."""
        return await self._asked("services", self._source.services(window=window, tenant=tenant, deadline_s=deadline_s))

    async def operations(
        self, service: str, *, window: tuple[int, int], tenant: str | None, deadline_s: float
    ) -> list[str]:
        """Return the names of a service's operations."""
        return await self._asked(
            "operations", self._source.operations(service, window=window, tenant=tenant, deadline_s=deadline_s)
        )

    async def latencies(
        self, service: str, operation: str, *, window: tuple[int, int], tenant: str | None, deadline_s: float
    ) -> list[Latency]:
        """Return how long an operation's requests took."""
        return await self._asked(
            "latencies",
            self._source.latencies(service, operation, window=window, tenant=tenant, deadline_s=deadline_s),
        )

    async def failures(
        self, service: str, operation: str, *, window: tuple[int, int], tenant: str | None, deadline_s: float
    ) -> list[Failures]:
        """Return which share of an operation's requests failed."""
        return await self._asked(
            "failures", self._source.failures(service, operation, window=window, tenant=tenant, deadline_s=deadline_s)
        )

    async def totals(self, query: TraceQuery, *, tenant: str | None, deadline_s: float) -> Totals:
        """Count and time all requests that a query is about."""
        return await self._asked("totals", self._source.totals(query, tenant=tenant, deadline_s=deadline_s))

    async def contrasts(self, query: TraceQuery, picked: Picked, *, tenant: str | None, deadline_s: float) -> Contrasts:
        """Hold some of all requests that a query is about against the others."""
        return await self._asked(
            "contrasts", self._source.contrasts(query, picked, tenant=tenant, deadline_s=deadline_s)
        )

    async def ping(self) -> str:
        """Ask whether the backend is there."""
        return await self._asked("ping", self._source.ping())

    async def aclose(self) -> None:
        """Close the connections."""
        await self._source.aclose()

    async def _asked(self, call: str, answer: Awaitable[Answered]) -> Answered:
        name = self.settings.name
        address = {"server.address": self._address, "peer.service": name}
        with step(call, metrics.SOURCE_SECONDS.labels(name, call), SpanKind.CLIENT, **address):
            try:
                return await answer
            except SourceError as error:
                metrics.SOURCE_ERRORS.labels(name, error.code).inc()
                raise
