"""Jaeger, and everything that answers like it (VictoriaTraces).

api_v3 first: it carries nanoseconds, status and links. Servers that do not know it (Jaeger 1.x without the
gateway, VictoriaTraces) are asked with the v1 JSON API, and remembered.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from analysis import DecodeError, EmptyTraceError, WireFormat, decode
from bot.errors import SourceError
from bot.sources.base import FetchedTrace
from bot.sources.http import Answer, HttpSource

if TYPE_CHECKING:
    from bot.settings import SourceSettings

TENANT_HEADER = "x-tenant"
JSON = "application/json"


class JaegerSource:
    """A Jaeger query service."""

    def __init__(self, settings: SourceSettings) -> None:
        self.settings = settings
        self._http = HttpSource(settings)
        self._v3: bool | None = None  # None: not known yet

    async def fetch(
        self, trace_id: str, *, window: tuple[int, int] | None, tenant: str | None, deadline_s: float
    ) -> FetchedTrace:
        """Fetch a trace by id; see `TraceSource`."""
        headers = self._tenant(tenant)
        if self._v3 is not False:
            params = {}
            if window:
                params = {"startTime": _rfc3339(window[0]), "endTime": _rfc3339(window[1])}
            answer = await self._http.get(
                f"/api/v3/traces/{trace_id}", accept=JSON, headers=headers, params=params, deadline_s=deadline_s
            )
            if not answer.wrong_path:
                self._v3 = True
                return self._result(answer, trace_id, WireFormat.OTLP_JSON)
            self._v3 = False
        answer = await self._http.get(f"/api/traces/{trace_id}", accept=JSON, headers=headers, deadline_s=deadline_s)
        try:
            return self._result(answer, trace_id, WireFormat.JAEGER_JSON)
        except SourceError as error:
            # VictoriaTraces knows an id only in the form in which it was ingested.
            short = trace_id[16:]
            if error.code != "trace-not-found" or trace_id[:16].strip("0"):
                raise
        answer = await self._http.get(f"/api/traces/{short}", accept=JSON, headers=headers, deadline_s=deadline_s)
        return self._result(answer, trace_id, WireFormat.JAEGER_JSON)

    async def ping(self) -> str:
        """Ask for the list of services; see `TraceSource`."""
        for path in ("/api/v3/services", "/api/services"):
            answer = await self._http.get(
                path, accept=JSON, headers=self._tenant(None), deadline_s=self.settings.read_timeout_s
            )
            if not answer.wrong_path:
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


def refuse(answer: Answer, source: str, trace_id: str) -> None:
    """Raise the `SourceError` that an answer's status means; return for a good one."""
    if answer.status == 200:
        return
    if answer.status == 404:
        if answer.wrong_path:
            raise SourceError("wrong-path", source=source, path=answer.path)
        raise SourceError("trace-not-found", source=source, trace=trace_id)
    if answer.status in (401, 403):
        code = "no-tenant" if "org id" in answer.detail or "tenant" in answer.detail.lower() else "unauthorised"
        raise SourceError(code, source=source, status=answer.status, detail=answer.detail)
    if answer.status in (413, 422):
        raise SourceError("too-large", source=source, trace=trace_id, detail=answer.detail)
    raise SourceError("rejected", source=source, status=answer.status, detail=answer.detail)


def checked(answer: Answer, source: str, trace_id: str, wire: WireFormat) -> FetchedTrace:
    """Make sure that a small body holds the trace: "not found" also comes as 200 with an empty one."""
    if len(answer.body) < _CHEAP_TO_DECODE:
        try:
            decode(answer.body, wire)
        except EmptyTraceError:
            raise SourceError("trace-not-found", source=source, trace=trace_id) from None
        except DecodeError as error:
            code = "cut-off" if "truncated" in str(error) or "ends in the middle" in str(error) else "unreadable"
            raise SourceError(code, source=source, trace=trace_id, detail=str(error)) from None
    return FetchedTrace(trace_id=trace_id, body=answer.body, wire=wire, source=source)


_CHEAP_TO_DECODE = 4_096  # bytes: an empty result is far smaller, and decoding this much takes no time


def _rfc3339(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat().replace("+00:00", "Z")
