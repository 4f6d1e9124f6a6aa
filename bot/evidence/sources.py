"""The configured sources of logs and metrics, and whom each channel may have asked."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog

from bot.errors import SourceError
from bot.evidence.facts import Evidence, MetricFact, Silence
from bot.evidence.metric_source import MetricSource

if TYPE_CHECKING:
    from bot.evidence.question import Question
    from bot.settings import Settings

log = structlog.get_logger()


class EvidenceSources:
    """Asks all sources at once; none of them can hold up or spoil the others."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._metrics = {its.name: MetricSource(its) for its in settings.metrics}

    def names(self, channel: str) -> list[str]:
        """Return the names of what is asked for a channel."""
        its = self._settings.channels.get(channel)
        return list((its and its.metrics) or self._metrics)

    async def evidence(self, question: Question, channel: str, tenant: str | None) -> Evidence:
        """Return what the sources of a channel say within the time that they have."""
        deadline_s, now = self._settings.evidence.deadline_s, int(time.time())
        names = self.names(channel)
        said = await asyncio.gather(
            *(
                self._metrics[name].facts(question, tenant=tenant, now=now, deadline_s=deadline_s)
                for name in names
            ),
            return_exceptions=True,
        )  # fmt: skip
        facts: list[MetricFact] = []
        silent: list[Silence] = []
        for name, answer in zip(names, said, strict=True):
            if isinstance(answer, BaseException):
                silent.append(_silence(name, answer))
            else:
                facts += answer
        return Evidence(metrics=tuple(sorted(facts, key=lambda fact: fact.rank)), silent=tuple(silent))

    async def ping(self) -> dict[str, str | SourceError]:
        """Ask every source whether it is there."""
        results = await asyncio.gather(*(its.ping() for its in self._metrics.values()), return_exceptions=True)
        answers: dict[str, str | SourceError] = {}
        for name, result in zip(self._metrics, results, strict=True):
            if isinstance(result, BaseException) and not isinstance(result, SourceError):
                raise result
            answers[name] = result
        return answers

    async def aclose(self) -> None:
        """Close all connections."""
        for source in self._metrics.values():
            await source.aclose()


def _silence(name: str, error: BaseException) -> Silence:
    """Write down why a source said nothing; raises what is no answer of a source but an end of the work."""
    if isinstance(error, SourceError):
        log.warning("no evidence", source=name, code=error.code, error=str(error))
        return Silence(name, error.code)
    if not isinstance(error, Exception):
        raise error
    log.error("no evidence", source=name, exc_info=error)
    return Silence(name, "unreadable-search")
