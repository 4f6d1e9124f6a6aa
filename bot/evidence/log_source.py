"""A source of logs: Loki, or Elasticsearch or OpenSearch."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from analysis.redact import redacted
from bot.computing import computed
from bot.evidence import changes, elasticsearch, loki
from bot.evidence.asking import Asking
from bot.evidence.facts import ChangeFact, LogFact, LogLook
from bot.evidence.lines import FINE
from bot.evidence.patterns import Lines, new_patterns
from bot.evidence.windows import windows

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.evidence.lines import Line
    from bot.evidence.question import Question, Request
    from bot.settings import LogSettings

Window = tuple[int, int]
NS = 10**9
EVENTS = 20  # lines about deployments that are read
DEPLOYMENTS = 2  # of one service that are told: the last ones before the suspect
EVENT = 160  # characters of one
LATE_NS = 60 * NS  # a request's own lines may come that much before or after it: clocks differ, buffers wait


class LogSource:
    """One source of logs, asked about both requests at once."""

    def __init__(self, settings: LogSettings, around_s: float, redact: Callable[[str], str] = redacted) -> None:
        self.settings = settings
        self._redact = redact
        self._around_s = around_s
        self._asking = Asking(settings)

    async def facts(
        self, question: Question, *, tenant: str | None, deadline_s: float
    ) -> tuple[tuple[LogFact, ...], LogLook | None, tuple[ChangeFact, ...]]:
        """Say which errors and warnings are new around the suspect, and what was deployed; raises `SourceError`."""
        when = windows(question, self._around_s)
        baseline, suspect = await asyncio.gather(
            self._lines(question.services, question.baseline, when.baseline, tenant, deadline_s),
            self._lines(question.services, question.suspect, when.suspect, tenant, deadline_s),
        )
        if self._needs_words and not baseline.around and not suspect.around:
            baseline, suspect = await asyncio.gather(
                self._with_words(baseline, question.services, when.baseline, tenant, deadline_s),
                self._with_words(suspect, question.services, when.suspect, tenant, deadline_s),
            )
        patterns = await computed(new_patterns, baseline, suspect, apart=when.apart, redact=self._redact)
        facts = tuple(
            LogFact(
                source=self.settings.name, service=its.service or question.services[0], level=its.level,
                sample=its.sample,
                baseline=its.baseline, suspect=its.suspect, own=its.own, seconds=when.seconds if when.apart else 0,
                at_least=suspect.cut,
            )
            for its in patterns
        )  # fmt: skip
        bad = [sum(line.level != FINE for line in its.around) for its in (baseline, suspect)]
        any_lines = any((baseline.around, suspect.around, baseline.own, suspect.own))
        look = LogLook(source=self.settings.name, baseline=bad[0], suspect=bad[1]) if any_lines else None
        return facts, look, await self._deployments(question, tenant, deadline_s)

    async def _deployments(self, question: Question, tenant: str | None, deadline_s: float) -> tuple[ChangeFact, ...]:
        """Say which deployments the log holds between the two requests, where a query for them is configured."""
        time = changes.between(question)
        if time is None or not self.settings.deployments:
            return ()
        window = (time[0] * NS, time[1] * NS)
        found = await asyncio.gather(
            *(self._events(service, window, tenant, deadline_s) for service in question.services)
        )
        events = [
            (service, at, text)
            for service, its in zip(question.services, found, strict=True)
            for at, text in its[-DEPLOYMENTS:]
        ]
        return await computed(self._told, events)

    def _told(self, deployments: list[tuple[str, int, str]]) -> tuple[ChangeFact, ...]:
        """Say deployments without secrets: beside the event loop, because what a log holds can be long."""
        return tuple(
            ChangeFact(
                source=self.settings.name, service=service, what="deployed", at=at, before="",
                after=" ".join(self._redact(text).split())[:EVENT],
            )
            for service, at, text in deployments
        )  # fmt: skip

    async def _events(
        self, service: str, window: Window, tenant: str | None, deadline_s: float
    ) -> list[tuple[int, str]]:
        if self.settings.kind == "loki":
            return await self._asking.ask(
                "changes", loki.RANGE, loki.read_events, tenant=tenant, deadline_s=deadline_s,
                params=loki.parameters(loki.deployments(self.settings, service), window, EVENTS),
            )  # fmt: skip
        return await self._asking.ask(
            "changes", elasticsearch.path(self.settings),
            lambda body: elasticsearch.read_events(body, self.settings), params=elasticsearch.PARAMETERS,
            question=elasticsearch.deployments(self.settings, service, window, EVENTS), tenant=tenant,
            deadline_s=deadline_s,
        )  # fmt: skip

    @property
    def _needs_words(self) -> bool:
        """Loki before version 3 knows no levels unless somebody configured what tells them."""
        return self.settings.kind == "loki" and not self.settings.pipeline

    async def _lines(
        self, services: tuple[str, ...], request: Request, window: Window, tenant: str | None, deadline_s: float
    ) -> Lines:
        own_window = (request.start_ns - LATE_NS, request.end_ns + LATE_NS)
        if self.settings.kind == "loki":
            queries = loki.of_trace(self.settings, services, request.trace_id)
            around, *own = await asyncio.gather(
                self._loki(loki.bad_lines(self.settings, services), window, tenant, deadline_s),
                *(self._loki(query, own_window, tenant, deadline_s) for query in queries),
            )
            return self._sorted(around, [line for lines in own for line in lines])
        limit = self.settings.max_lines
        around, mine = await asyncio.gather(
            self._elastic(elasticsearch.bad_lines(self.settings, services, window, limit), tenant, deadline_s),
            self._elastic(
                elasticsearch.of_trace(self.settings, services, request.trace_id, own_window, limit), tenant, deadline_s
            ),
        )
        return self._sorted(around, mine)

    async def _with_words(
        self, lines: Lines, services: tuple[str, ...], window: Window, tenant: str | None, deadline_s: float
    ) -> Lines:
        around = await self._loki(loki.bad_words(self.settings, services), window, tenant, deadline_s)
        return self._sorted(around, list(lines.own))

    def _sorted(self, around: list[Line], own: list[Line]) -> Lines:
        return Lines(around=tuple(around), own=tuple(own), cut=len(around) >= self.settings.max_lines)

    async def _loki(self, query: str, window: Window, tenant: str | None, deadline_s: float) -> list[Line]:
        return await self._asking.ask(
            "lines", loki.RANGE, lambda body: loki.read_lines(body, self.settings.service_label),
            params=loki.parameters(query, window, self.settings.max_lines), tenant=tenant, deadline_s=deadline_s,
        )  # fmt: skip

    async def _elastic(self, question: bytes, tenant: str | None, deadline_s: float) -> list[Line]:
        return await self._asking.ask(
            "lines", elasticsearch.path(self.settings), lambda body: elasticsearch.read_lines(body, self.settings),
            params=elasticsearch.PARAMETERS, question=question, tenant=tenant, deadline_s=deadline_s,
        )  # fmt: skip

    async def ping(self) -> str:
        """Ask whether it is there and lets us in; returns "ok", raises `SourceError`."""
        deadline_s = self.settings.read_timeout_s
        if self.settings.kind == "loki":
            await self._asking.ask("ping", loki.PING, loki.read_status, tenant=None, deadline_s=deadline_s)
        else:
            await self._asking.ask(
                "ping", elasticsearch.path(self.settings), elasticsearch.read_health,
                params={**elasticsearch.PARAMETERS, "size": "0"}, tenant=None, deadline_s=deadline_s,
            )  # fmt: skip
        return "ok"

    async def aclose(self) -> None:
        """Close the connections."""
        await self._asking.aclose()
