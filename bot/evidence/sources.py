"""The configured sources of logs and metrics, and whom each channel may have asked."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, TypeVar

import structlog

from bot.errors import SourceError
from bot.evidence.facts import Evidence, Silence
from bot.evidence.log_source import LogSource
from bot.evidence.metric_source import MetricSource

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from bot.evidence.question import Question
    from bot.settings import Settings

Said = TypeVar("Said")

MOST_CHANGES = 6

log = structlog.get_logger()


class EvidenceSources:
    """Asks all sources at once; none of them can hold up or spoil the others."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        redact = settings.redaction.redacted
        self._logs = {its.name: LogSource(its, settings.evidence.around_s, redact) for its in settings.logs}
        self._metrics = {its.name: MetricSource(its, redact) for its in settings.metrics}

    def names(self, channel: str) -> list[str]:
        """Return the names of what is asked for a channel, or for the program that stands in for one."""
        return [*self._log_names(channel), *self._metric_names(channel)]

    def _log_names(self, channel: str) -> list[str]:
        its = self._settings.reach(channel)
        return list((its and its.logs) or self._logs)

    def _metric_names(self, channel: str) -> list[str]:
        its = self._settings.reach(channel)
        return list((its and its.metrics) or self._metrics)

    async def evidence(self, question: Question, channel: str, tenant: str | None) -> Evidence:
        """Return what the sources of a channel say within the time that they have."""
        deadline_s, now = self._settings.evidence.deadline_s, int(time.time())
        logs, metrics = await asyncio.gather(
            _all({
                name: self._logs[name].facts(question, tenant=tenant, deadline_s=deadline_s)
                for name in self._log_names(channel)
            }, deadline_s),
            _all({
                name: self._metrics[name].facts(question, tenant=tenant, now=now, deadline_s=deadline_s)
                for name in self._metric_names(channel)
            }, deadline_s),
        )  # fmt: skip
        told, measured = _spoken(logs), _spoken(metrics)
        return Evidence(
            metrics=tuple(sorted((fact for facts, _ in measured for fact in facts), key=lambda fact: fact.rank)),
            logs=tuple(fact for facts, _, _ in told for fact in facts),
            looks=tuple(look for _, look, _ in told if look is not None),
            changes=tuple(
                fact for its in (*(its for _, its in measured), *(its for _, _, its in told)) for fact in its
            )[:MOST_CHANGES],
            silent=tuple(its for its in (*logs, *metrics) if isinstance(its, Silence)),
        )

    async def ping(self) -> dict[str, str | SourceError]:
        """Ask every source whether it is there."""
        asked: dict[str, LogSource | MetricSource] = {**self._logs, **self._metrics}
        results = await asyncio.gather(*(its.ping() for its in asked.values()), return_exceptions=True)
        answers: dict[str, str | SourceError] = {}
        for name, result in zip(asked, results, strict=True):
            if isinstance(result, BaseException) and not isinstance(result, SourceError):
                raise result
            answers[name] = result
        return answers

    async def aclose(self) -> None:
        """Close all connections."""
        for log_source in self._logs.values():
            await log_source.aclose()
        for metric_source in self._metrics.values():
            await metric_source.aclose()


async def _all(questions: Mapping[str, Awaitable[Said]], deadline_s: float) -> list[Said | Silence]:
    return list(await asyncio.gather(*(_heard(name, its, deadline_s) for name, its in questions.items())))


async def _heard(name: str, answer: Awaitable[Said], deadline_s: float) -> Said | Silence:
    """Wait for what a source says, but not for longer than it has; never raises for what a source did."""
    try:
        async with asyncio.timeout(deadline_s):
            return await answer
    except SourceError as error:
        log.warning("no evidence", source=name, code=error.code, error=str(error))
        return Silence(name, error.code)
    except TimeoutError:
        log.warning("no evidence", source=name, code="timeout")
        return Silence(name, "timeout")
    except Exception:
        log.exception("no evidence", source=name)
        return Silence(name, "unreadable-search")


def _spoken(said: list[Said | Silence]) -> list[Said]:
    return [its for its in said if not isinstance(its, Silence)]
