"""Asking one source one thing: timed, counted where it fails, and what the status of its answer means."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from opentelemetry.trace import SpanKind

from bot.computing import computed
from bot.errors import SourceError
from bot.sources.answers import readable, refuse
from bot.sources.http import HttpSource
from bot.telemetry import metrics
from bot.telemetry.steps import step

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.settings import Endpoint
    from bot.sources.http import Answer

Read = TypeVar("Read")
TENANT_HEADER = "X-Scope-OrgID"
JSON = "application/json"


class Asking:
    """Asks one source of logs or metrics."""

    def __init__(self, settings: Endpoint) -> None:
        self.settings = settings
        self._http = HttpSource(settings)
        self._address = urlsplit(settings.url).hostname or ""
        metrics.begin(metrics.SOURCE_ERRORS, (settings.name,), SourceError.sentences)

    async def ask(
        self, call: str, path: str, reader: Callable[[bytes], Read], *, tenant: str | None, deadline_s: float,
        params: dict[str, str] | None = None, question: bytes | None = None,
    ) -> Read:  # fmt: skip
        """Ask for `path` and read the answer; raises `SourceError`."""
        name = self.settings.name
        address = {"server.address": self._address, "peer.service": name}
        with step(call, metrics.SOURCE_SECONDS.labels(name, call), SpanKind.CLIENT, **address):
            try:
                answer = await self._http.get(
                    path, accept=JSON, headers=self._tenant(tenant), params=params, question=question,
                    deadline_s=deadline_s,
                )  # fmt: skip
                _check(answer, name)
                with readable(name):
                    return await computed(reader, answer.body)  # megabytes must not hold up the event loop
            except SourceError as error:
                metrics.SOURCE_ERRORS.labels(name, error.code).inc()
                raise

    def _tenant(self, tenant: str | None) -> dict[str, str]:
        name = tenant or self.settings.tenant
        return {self.settings.tenant_header or TENANT_HEADER: name} if name else {}

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _check(answer: Answer, source: str) -> None:
    """Raise the `SourceError` that an answer's status means; return for a good one."""
    if answer.status == 200:
        return
    if answer.status == 404 or answer.wrong_path:
        raise SourceError("wrong-path", source=source, path=answer.path)
    if answer.status in (401, 403):
        refuse(answer, source, "")
    raise SourceError("rejected", source=source, status=answer.status, detail=answer.detail)
