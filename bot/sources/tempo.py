"""Grafana Tempo, also behind Grafana's data source proxy.

v2 with protobuf first: 3.5 times faster than JSON, and it says when a trace is partial. Servers that do not
know v2 are asked with v1, and remembered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis import WireFormat
from bot.errors import SourceError
from bot.sources.http import HttpSource
from bot.sources.jaeger import checked, refuse

if TYPE_CHECKING:
    from bot.settings import SourceSettings
    from bot.sources.base import FetchedTrace
    from bot.sources.http import Answer

TENANT_HEADER = "X-Scope-OrgID"
PROTOBUF = "application/protobuf"


class TempoSource:
    """A Tempo query frontend."""

    def __init__(self, settings: SourceSettings) -> None:
        self.settings = settings
        self._http = HttpSource(settings)
        self._v2: bool | None = None  # None: not known yet

    async def fetch(
        self, trace_id: str, *, window: tuple[int, int] | None, tenant: str | None, deadline_s: float
    ) -> FetchedTrace:
        """Fetch a trace by id; see `TraceSource`."""
        headers = self._tenant(tenant)
        params = {"start": str(window[0]), "end": str(window[1])} if window else {}
        if self._v2 is not False:
            answer = await self._http.get(
                f"/api/v2/traces/{trace_id}", accept=PROTOBUF, headers=headers, params=params, deadline_s=deadline_s
            )
            if not answer.wrong_path:
                self._v2 = True
                refuse(answer, self.settings.name, trace_id)
                return checked(answer, self.settings.name, trace_id, _wire(answer, WireFormat.TEMPO_PROTOBUF))
            self._v2 = False
        answer = await self._http.get(
            f"/api/traces/{trace_id}", accept=PROTOBUF, headers=headers, params=params, deadline_s=deadline_s
        )
        refuse(answer, self.settings.name, trace_id)
        return checked(answer, self.settings.name, trace_id, _wire(answer, WireFormat.OTLP_PROTOBUF))

    async def ping(self) -> str:
        """Ask for the version; see `TraceSource`."""
        answer = await self._http.get(
            "/api/echo", accept="*/*", headers=self._tenant(None), deadline_s=self.settings.read_timeout_s
        )
        refuse(answer, self.settings.name, "")
        if answer.body.strip() != b"echo":
            raise SourceError("unreadable", source=self.settings.name, detail="/api/echo did not answer `echo`")
        return "ok"

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _tenant(self, tenant: str | None) -> dict[str, str]:
        name = tenant or self.settings.tenant
        return {self.settings.tenant_header or TENANT_HEADER: name} if name else {}


def _wire(answer: Answer, expected: WireFormat) -> WireFormat:
    return expected if "protobuf" in answer.content_type else WireFormat.TEMPO_JSON
