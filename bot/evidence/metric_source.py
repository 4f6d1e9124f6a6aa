"""A source of metrics: Prometheus, or what answers as it does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from analysis.redact import redacted
from bot.errors import SourceError
from bot.evidence import changes, prometheus
from bot.evidence.asking import Asking
from bot.evidence.facts import ChangeFact, MetricFact, failed_of_late, slow_of_late
from bot.finding import trend
from bot.settings.queries import filled

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.evidence.question import Question, Subject
    from bot.settings import ChangeSettings, MetricSettings

RANGE = "/api/v1/query_range"


log = structlog.get_logger()


class MetricSource:
    """One source of metrics, asked about one operation at a time."""

    def __init__(self, settings: MetricSettings, redact: Callable[[str], str] = redacted) -> None:
        self.settings = settings
        self._redact = redact
        self._asking = Asking(settings)

    async def facts(
        self, question: Question, *, tenant: str | None, now: int, deadline_s: float
    ) -> tuple[tuple[MetricFact, ...], tuple[ChangeFact, ...]]:
        """Say how the requests of every operation in question went, and what changed; raises `SourceError`."""
        found, changed = await asyncio.gather(
            asyncio.gather(*(self._fact(subject, question, tenant, now, deadline_s) for subject in question.subjects)),
            self._changes(question, tenant, deadline_s),
        )
        return tuple(fact for fact in found if fact is not None), changed

    async def _changes(self, question: Question, tenant: str | None, deadline_s: float) -> tuple[ChangeFact, ...]:
        """Say what changed about the services in question between the two requests."""
        time = changes.between(question)
        if time is None:
            return ()
        wanted = [(service, its) for service in question.services for its in self.settings.changes]
        found = await asyncio.gather(*(self._change(service, its, time, tenant, deadline_s) for service, its in wanted))
        return tuple(fact for facts in found for fact in facts)

    async def _change(
        self, service: str, its: ChangeSettings, time: tuple[int, int], tenant: str | None, deadline_s: float
    ) -> list[ChangeFact]:
        query = filled(its.query, service=service, step=f"{changes.STEP_S}s")
        try:
            series = await self._asking.ask(
                "changes", RANGE, prometheus.read_series, tenant=tenant, deadline_s=deadline_s,
                params=prometheus.range_parameters(query, changes.window(time), changes.STEP_S),
            )  # fmt: skip
        except SourceError as error:
            # A query that this server does not take costs only what it would have said.
            log.warning("no changes", source=self.settings.name, what=its.name, code=error.code)
            return []
        return [
            ChangeFact(source=self.settings.name, service=service, what=its.name, at=at, before=before, after=after)
            for at, before, after in changes.changes(series, its.label, time, self._redact)
        ]

    async def _fact(
        self, subject: Subject, question: Question, tenant: str | None, now: int, deadline_s: float
    ) -> MetricFact | None:
        at = question.started_at
        window = trend.window(at, now)
        if subject.failing:
            failed, requests = await asyncio.gather(
                *(self._counts(subject, window, tenant, deadline_s, failed=only) for only in (True, False))
            )
            its = trend.of_failures(prometheus.failures_of(failed, requests), at)
            above, of = failed_of_late(failed, requests, window[1])
        else:
            steps = await self._asking.ask(
                "latencies", RANGE, lambda body: prometheus.read_latencies(body, self.settings.latency_unit),
                params=prometheus.range_parameters(
                    prometheus.latency_query(self.settings, subject.service, subject.operation), window
                ),
                tenant=tenant, deadline_s=deadline_s,
            )  # fmt: skip
            its = trend.of_latencies(steps, subject.took_ns, at)
            level = round(its.before) if its and its.since is not None else subject.took_ns // 2
            above, of = slow_of_late(steps, level, window[1])
        if its is None:
            return None
        return MetricFact(
            source=self.settings.name, rank=subject.rank, service=subject.service, operation=subject.operation,
            trend=its, above=above, of=of,
        )  # fmt: skip

    async def _counts(
        self, subject: Subject, window: tuple[int, int], tenant: str | None, deadline_s: float, *, failed: bool
    ) -> dict[int, int]:
        query = prometheus.count_query(self.settings, subject.service, subject.operation, failed=failed)
        return await self._asking.ask(
            "failures", RANGE, prometheus.read_counts, params=prometheus.range_parameters(query, window),
            tenant=tenant, deadline_s=deadline_s,
        )  # fmt: skip

    async def ping(self) -> str:
        """Ask for a number; returns "ok", raises `SourceError`."""
        await self._asking.ask(
            "ping", "/api/v1/query", prometheus.read_status, params={"query": "vector(1)"}, tenant=None,
            deadline_s=self.settings.read_timeout_s,
        )  # fmt: skip
        return "ok"

    async def aclose(self) -> None:
        """Close the connections."""
        await self._asking.aclose()
