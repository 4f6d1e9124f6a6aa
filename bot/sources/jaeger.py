"""Jaeger, and everything that answers like it (VictoriaTraces).

api_v3 first: it carries nanoseconds, status and links. Servers that do not know it (Jaeger 1.x without the
gateway, VictoriaTraces) are asked with the v1 JSON API, and remembered.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from analysis import WireFormat
from bot.computing import computed
from bot.errors import SourceError
from bot.sources import jaeger_metrics as metrics
from bot.sources.answers import checked, explained, read, read_metrics, readable, refuse
from bot.sources.base import MOST, Found, selected
from bot.sources.http import HttpSource
from bot.sources.jaeger_search import (
    in_snake_case,
    read_names,
    read_summaries,
    read_v1,
    read_v3,
    rfc3339,
    split_v1,
    summaries_parameters,
    v1_parameters,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.settings import SourceSettings
    from bot.sources.base import FetchedTrace, TraceQuery, TraceSummary
    from bot.sources.http import Answer
    from bot.sources.metrics import Contrasts, Failures, Latency, Picked, Totals

TENANT_HEADER = "x-tenant"
JSON = "application/json"
OK, BAD_REQUEST, NOT_FOUND = 200, 400, 404
NONE_FOUND = ("no traces found", "trace not found")  # what api_v3 says with a 404 where nothing matches
V1_MOST = 20  # traces in an answer of the v1 search, which sends them whole
V1_BYTES = 16 * 1024 * 1024  # of such an answer: decoding more would hold up others


class JaegerSource:
    """A Jaeger query service."""

    def __init__(self, settings: SourceSettings) -> None:
        self.settings = settings
        self._http = HttpSource(settings)
        self._v3: bool | None = None  # None: not known yet
        self._served = False  # a trace came from there
        self._summaries: bool | None = None  # as above

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
        newer: Answer | None = None
        if self._v3 is not False:
            params = {}
            if window:
                params = {"startTime": rfc3339(window[0]), "endTime": rfc3339(window[1])}
            newer = await self._http.get(
                f"/api/v3/traces/{trace_id}", accept=JSON, headers=headers, params=params, deadline_s=deadline_s
            )
            if self._v3 or not newer.absent:
                self._v3 = True if newer.status == OK else self._v3
                return self._result(newer, trace_id, WireFormat.OTLP_JSON)
        answer = await self._http.get(f"/api/traces/{trace_id}", accept=JSON, headers=headers, deadline_s=deadline_s)
        if newer is not None and answer.wrong_path and not newer.wrong_path:
            return self._result(newer, trace_id, WireFormat.OTLP_JSON)
        if not answer.absent:
            self._v3 = False
        try:
            return self._result(answer, trace_id, WireFormat.JAEGER_JSON)
        except SourceError as error:
            # VictoriaTraces knows an id only in the form in which it was ingested.
            short = trace_id[16:]
            if error.code != "trace-not-found" or trace_id[:16].strip("0"):
                raise
        answer = await self._http.get(f"/api/traces/{short}", accept=JSON, headers=headers, deadline_s=deadline_s)
        return self._result(answer, trace_id, WireFormat.JAEGER_JSON)

    async def search(self, query: TraceQuery, *, tenant: str | None, deadline_s: float) -> list[TraceSummary]:
        """Search for traces; see `TraceSource`."""
        return (await self.find(query, tenant=tenant, deadline_s=deadline_s)).traces

    async def find(self, query: TraceQuery, *, tenant: str | None, deadline_s: float) -> Found:
        """Search, and say whether that is all there is. Summaries first; servers without them are asked with v1."""
        headers = self._tenant(tenant)
        if self._summaries is not False:
            limit = _within(query.limit, MOST)
            answer = await self._http.get(
                "/api/v3/trace-summaries", accept=JSON, headers=headers, deadline_s=deadline_s,
                params=summaries_parameters(query, limit),
            )  # fmt: skip
            if not answer.absent:
                self._summaries = True
                summaries = read(answer, self.settings.name, read_summaries)
                return Found(selected(summaries, query), cut=len(summaries) >= limit)
        answer, limit = await self._search_v1(query, headers, deadline_s)
        if answer.absent:
            return await self._find_v3(query, headers, deadline_s)
        traces = read(answer, self.settings.name, split_v1)
        self._summaries = False
        found: list[TraceSummary] = []
        for trace in traces:
            with readable(self.settings.name):
                found += read_v1(trace, query)
            await asyncio.sleep(0)  # whole traces take their time: others are let through in between
        return Found(selected(found, query), cut=len(traces) >= limit)

    async def _find_v3(self, query: TraceQuery, headers: dict[str, str], deadline_s: float) -> Found:
        """Ask api_v3 for whole traces: servers that know neither summaries nor v1.

        The older of them miss what they require where it is not spelt in the older way.
        """
        params = summaries_parameters(query, V1_MOST)
        answer = await self._search_v3(params, headers, deadline_s)
        if answer.status == BAD_REQUEST:
            answer = await self._search_v3(in_snake_case(params), headers, deadline_s)
        if answer.status == NOT_FOUND and answer.detail.lower() in NONE_FOUND:
            return Found([], cut=False)
        traces = await computed(read, answer, self.settings.name, partial(read_v3, query=query))
        return Found(selected(traces, query), cut=len(traces) >= V1_MOST)

    async def _search_v3(self, params: dict[str, str], headers: dict[str, str], deadline_s: float) -> Answer:
        return await self._http.get(
            "/api/v3/traces", accept=JSON, headers=headers, params=params, max_bytes=V1_BYTES, deadline_s=deadline_s
        )

    async def _search_v1(self, query: TraceQuery, headers: dict[str, str], deadline_s: float) -> tuple[Answer, int]:
        """Ask for whole traces, for fewer of them when they are too large together; returns how many as well."""
        limit = _within(query.limit, V1_MOST)
        try:
            async with asyncio.timeout(deadline_s):
                while True:
                    try:
                        answer = await self._http.get(
                            "/api/traces", accept=JSON, headers=headers, params=v1_parameters(query, limit),
                            max_bytes=V1_BYTES, deadline_s=deadline_s,
                        )  # fmt: skip
                    except SourceError as error:
                        if error.code != "too-large" or limit == 1:
                            raise
                        limit //= 2
                    else:
                        return answer, limit
        except TimeoutError:
            raise SourceError("timeout", source=self.settings.name, seconds=round(deadline_s)) from None

    async def services(self, *, window: tuple[int, int], tenant: str | None, deadline_s: float) -> list[str]:
        """List the services; see `TraceSource`. Jaeger does not ask for a window."""
        del window
        return await self._names(("/api/v3/services", "/api/services"), {}, tenant, deadline_s)

    async def operations(
        self, service: str, *, window: tuple[int, int], tenant: str | None, deadline_s: float
    ) -> list[str]:
        """List a service's operations; see `TraceSource`. Jaeger does not ask for a window."""
        del window
        paths = ["/api/v3/operations", "/api/operations"]
        if service.strip("."):
            paths.append(f"/api/services/{quote(service, safe='')}/operations")  # the only one of VictoriaTraces
        return await self._names(paths, {"service": service}, tenant, deadline_s)

    async def _names(
        self, paths: Sequence[str], params: dict[str, str], tenant: str | None, deadline_s: float
    ) -> list[str]:
        """Ask for a list of names by the first path that the server knows."""
        for path in paths[:-1]:
            answer = await self._http.get(
                path, accept=JSON, headers=self._tenant(tenant), params=params, deadline_s=deadline_s
            )
            if not answer.absent:
                return read(answer, self.settings.name, read_names)
        answer = await self._http.get(
            paths[-1], accept=JSON, headers=self._tenant(tenant), params=params, deadline_s=deadline_s
        )
        return read(answer, self.settings.name, read_names)

    async def latencies(
        self, service: str, operation: str, *, window: tuple[int, int], tenant: str | None, deadline_s: float
    ) -> list[Latency]:
        """Ask Service Performance Monitoring for durations; see `TraceSource`."""
        middle, tail = await asyncio.gather(
            *(
                self._metric("latencies", operation, metrics.parameters(service, window, q), tenant, deadline_s)
                for q in (0.5, 0.95)
            )
        )
        return metrics.latencies(middle, tail)

    async def failures(
        self, service: str, operation: str, *, window: tuple[int, int], tenant: str | None, deadline_s: float
    ) -> list[Failures]:
        """Ask Service Performance Monitoring for failures; see `TraceSource`."""
        asked = metrics.parameters(service, window)
        return metrics.failures(await self._metric("errors", operation, asked, tenant, deadline_s))

    async def totals(self, query: TraceQuery, *, tenant: str | None, deadline_s: float) -> Totals:
        """Ask Service Performance Monitoring about the whole window as one step; see `TraceSource`."""
        if query.operation is None:
            raise SourceError("no-metrics", source=self.settings.name, detail="an operation has to be named")
        names = (("calls", None), ("errors", None), ("latencies", 0.5), ("latencies", 0.95))
        step_s = query.window[1] - query.window[0]
        calls, errors, middle, tail = await asyncio.gather(
            *(
                self._metric(
                    name,
                    query.operation,
                    metrics.parameters(query.service, query.window, q, step_s),
                    tenant,
                    deadline_s,
                )
                for name, q in names
            )
        )
        found = metrics.totals(calls, errors, middle, tail, step_s)
        if found is None:
            raise SourceError("no-metrics", source=self.settings.name, detail="no requests were counted")
        return found

    async def contrasts(self, query: TraceQuery, picked: Picked, *, tenant: str | None, deadline_s: float) -> Contrasts:
        """Say that Jaeger counts by operation alone; see `TraceSource`."""
        del query, picked, tenant, deadline_s
        raise SourceError("no-metrics", source=self.settings.name, detail="Jaeger counts by operation alone")

    async def _metric(
        self, name: str, operation: str, params: dict[str, str], tenant: str | None, deadline_s: float
    ) -> dict[int, float]:
        answer = await self._http.get(
            f"/api/metrics/{name}", accept=JSON, headers=self._tenant(tenant), params=params, deadline_s=deadline_s
        )
        return read_metrics(answer, self.settings.name, partial(metrics.read_points, operation=operation))

    async def ping(self) -> str:
        """Ask for the list of services; see `TraceSource`."""
        for path in ("/api/v3/services", "/api/services"):
            answer = await self._http.get(
                path, accept=JSON, headers=self._tenant(None), deadline_s=self.settings.read_timeout_s
            )
            if not answer.absent:
                refuse(answer, self.settings.name, "")
                return "ok"
        raise SourceError("wrong-path", source=self.settings.name, path="/api/services")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _tenant(self, tenant: str | None) -> dict[str, str]:
        name = tenant or self.settings.tenant
        return {self.settings.tenant_header or TENANT_HEADER: name} if name else {}

    def _result(self, answer: Answer, trace_id: str, wire: WireFormat) -> FetchedTrace:
        refuse(answer, self.settings.name, trace_id)
        return checked(answer, self.settings.name, trace_id, wire)


def _within(limit: int, most: int) -> int:
    return max(1, min(limit, most))
