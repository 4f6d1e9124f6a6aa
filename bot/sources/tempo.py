"""Grafana Tempo, also behind Grafana's data source proxy.

v2 with protobuf first: 3.5 times faster than JSON, and it says when a trace is partial. Servers that do not
know v2 are asked with v1, and remembered.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from analysis import WireFormat
from bot.errors import SourceError
from bot.sources import tempo_metrics as metrics
from bot.sources.answers import checked, explained, read, read_metrics, refuse
from bot.sources.base import MOST, Found, selected
from bot.sources.http import HttpSource
from bot.sources.tempo_compare import compare_parameters, read_contrasts
from bot.sources.tempo_search import LONGEST_S, read_search, read_values, search_parameters, span_terms

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.settings import SourceSettings
    from bot.sources.answers import Read
    from bot.sources.base import FetchedTrace, TraceQuery, TraceSummary
    from bot.sources.http import Answer
    from bot.sources.metrics import Contrasts, Failures, Latency, Picked, Totals

TENANT_HEADER = "X-Scope-OrgID"
PROTOBUF = "application/protobuf"
JSON = "application/json"
OK, BAD_REQUEST = 200, 400


class TempoSource:
    """A Tempo query frontend."""

    def __init__(self, settings: SourceSettings) -> None:
        self.settings = settings
        self._http = HttpSource(settings)
        self._v2: bool | None = None  # None: not known yet
        self._served = False  # a trace came from there

    async def fetch(
        self, trace_id: str, *, window: tuple[int, int] | None, tenant: str | None, deadline_s: float
    ) -> FetchedTrace:
        """Fetch a trace by id; see `TraceSource`."""
        try:
            trace = await self._fetch(trace_id, window, tenant, deadline_s)
        except SourceError as error:
            raise await explained(error, self, trace_id, served=self._served) from None
        self._served = True
        return trace

    async def _fetch(
        self, trace_id: str, window: tuple[int, int] | None, tenant: str | None, deadline_s: float
    ) -> FetchedTrace:
        headers = self._tenant(tenant)
        params = {"start": str(window[0]), "end": str(window[1])} if window else {}
        newer: Answer | None = None
        if self._v2 is not False:
            newer = await self._http.get(
                f"/api/v2/traces/{trace_id}", accept=PROTOBUF, headers=headers, params=params, deadline_s=deadline_s
            )
            if self._v2 or not newer.absent:
                self._v2 = True if newer.status == OK else self._v2
                refuse(newer, self.settings.name, trace_id)
                return checked(newer, self.settings.name, trace_id, _wire(newer, WireFormat.TEMPO_PROTOBUF))
        answer = await self._http.get(
            f"/api/traces/{trace_id}", accept=PROTOBUF, headers=headers, params=params, deadline_s=deadline_s
        )
        if not answer.absent:
            self._v2 = False
        if newer is not None and answer.wrong_path:
            refuse(newer, self.settings.name, trace_id)
        refuse(answer, self.settings.name, trace_id)
        return checked(answer, self.settings.name, trace_id, _wire(answer, WireFormat.OTLP_PROTOBUF))

    async def search(self, query: TraceQuery, *, tenant: str | None, deadline_s: float) -> list[TraceSummary]:
        """Search for traces with TraceQL; see `TraceSource`. Traces younger than half a minute are not found yet."""
        return (await self.find(query, tenant=tenant, deadline_s=deadline_s)).traces

    async def find(self, query: TraceQuery, *, tenant: str | None, deadline_s: float) -> Found:
        """Search as `search` does, and say whether that is all there is.

        Older versions refuse a question about roots: they are asked about spans, for more than is wanted.
        """
        limit = max(1, min(query.limit, MOST))
        params, plain = search_parameters(query, limit), search_parameters(query, MOST, plain=True)
        answer = await self._search(params, tenant, deadline_s)
        if answer.status == BAD_REQUEST and params["q"] != plain["q"]:
            limit = MOST
            answer = await self._search(plain, tenant, deadline_s)
        found = read(answer, self.settings.name, read_search)
        return Found(selected(found, query), cut=len(found) >= limit)

    async def _search(self, params: dict[str, str], tenant: str | None, deadline_s: float) -> Answer:
        return await self._http.get(
            "/api/search", accept=JSON, headers=self._tenant(tenant), params=params, deadline_s=deadline_s
        )

    async def services(self, *, window: tuple[int, int], tenant: str | None, deadline_s: float) -> list[str]:
        """List the services; see `TraceSource`."""
        paths = ("/api/v2/search/tag/resource.service.name/values", "/api/search/tag/service.name/values")
        return await self._values(paths, _range(window), tenant, deadline_s)

    async def operations(
        self, service: str, *, window: tuple[int, int], tenant: str | None, deadline_s: float
    ) -> list[str]:
        """List a service's span names; see `TraceSource`."""
        paths = ("/api/v2/search/tag/name/values", "/api/search/tag/name/values")
        params = _range(window) | {"q": f"{{ {span_terms(service, None)[0]} }}"}
        return await self._values(paths, params, tenant, deadline_s)

    async def _values(
        self, paths: tuple[str, str], params: dict[str, str], tenant: str | None, deadline_s: float
    ) -> list[str]:
        """Ask for the values of a tag: v2, which can be filtered, and where that is unknown v1."""
        headers = self._tenant(tenant)
        answer = await self._http.get(paths[0], accept=JSON, headers=headers, params=params, deadline_s=deadline_s)
        if answer.absent:
            answer = await self._http.get(paths[1], accept=JSON, headers=headers, params=params, deadline_s=deadline_s)
        return read(answer, self.settings.name, read_values)

    async def latencies(
        self, service: str, operation: str, *, window: tuple[int, int], tenant: str | None, deadline_s: float
    ) -> list[Latency]:
        """Ask for a histogram over time; see `TraceSource`."""
        query = metrics.latency_query(service, operation)
        return await self._metric(query, metrics.read_latencies, window, tenant, deadline_s)

    async def failures(
        self, service: str, operation: str, *, window: tuple[int, int], tenant: str | None, deadline_s: float
    ) -> list[Failures]:
        """Count requests, and those that failed; see `TraceSource`."""
        failed, requests = await asyncio.gather(
            *(
                self._metric(
                    metrics.count_query(service, operation, failed=only),
                    metrics.read_counts,
                    window,
                    tenant,
                    deadline_s,
                )
                for only in (True, False)
            )
        )
        return metrics.shares(failed, requests)

    async def totals(self, query: TraceQuery, *, tenant: str | None, deadline_s: float) -> Totals:
        """Ask for one histogram of the whole window, and for the number of those that failed; see `TraceSource`."""
        histogram, failed = await asyncio.gather(
            *(
                self._http.get(
                    "/api/metrics/query",
                    accept=JSON,
                    headers=self._tenant(tenant),
                    params=params,
                    deadline_s=deadline_s,
                )
                for params in (metrics.histogram_parameters(query), metrics.failed_parameters(query))
            )
        )
        buckets = read_metrics(histogram, self.settings.name, metrics.read_buckets)
        return metrics.totals(buckets, read_metrics(failed, self.settings.name, metrics.read_number))

    async def contrasts(self, query: TraceQuery, picked: Picked, *, tenant: str | None, deadline_s: float) -> Contrasts:
        """Ask for `compare()`; see `TraceSource`."""
        answer = await self._http.get(
            "/api/metrics/query", accept=JSON, headers=self._tenant(tenant), deadline_s=deadline_s,
            params=compare_parameters(query, picked),
        )  # fmt: skip
        return read_metrics(answer, self.settings.name, read_contrasts)

    async def _metric(
        self,
        query: str,
        reader: Callable[[bytes], Read],
        window: tuple[int, int],
        tenant: str | None,
        deadline_s: float,
    ) -> Read:
        answer = await self._http.get(
            "/api/metrics/query_range", accept=JSON, headers=self._tenant(tenant), deadline_s=deadline_s,
            params=metrics.range_parameters(query, window),
        )  # fmt: skip
        return read_metrics(answer, self.settings.name, reader)

    async def ping(self) -> str:
        """Ask for an echo, and where a server or a proxy has none for the names of tags; see `TraceSource`."""
        answer = await self._asked("/api/echo")
        if answer.absent:
            refuse(await self._asked("/api/search/tags"), self.settings.name, "")
            return "ok"
        refuse(answer, self.settings.name, "")
        if answer.body.strip() != b"echo":
            raise SourceError("unreadable", source=self.settings.name, detail="/api/echo did not answer `echo`")
        return "ok"

    async def _asked(self, path: str) -> Answer:
        return await self._http.get(
            path, accept="*/*", headers=self._tenant(None), deadline_s=self.settings.read_timeout_s
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _tenant(self, tenant: str | None) -> dict[str, str]:
        name = tenant or self.settings.tenant
        return {self.settings.tenant_header or TENANT_HEADER: name} if name else {}


def _wire(answer: Answer, expected: WireFormat) -> WireFormat:
    return expected if "protobuf" in answer.content_type else WireFormat.TEMPO_JSON


def _range(window: tuple[int, int]) -> dict[str, str]:
    return {"start": str(max(window[0], window[1] - LONGEST_S)), "end": str(window[1])}
