"""Gathering: from a request to the fetched traces that it is about.

two traces named:  both are fetched at once
one named:         it is fetched, then others of its operation that show what is usual
and afterwards:    how all requests of the operation went, where the backend computes that
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from msgspec import Struct

from analysis.comparison import VerdictKind
from analysis.redact import CARD, EMAIL, MASK
from bot.finding import Others, Place, find_others
from bot.sources.base import FetchedTrace

if TYPE_CHECKING:
    from bot.analysis_child import Answer
    from bot.request import CompareRequest, TraceRef
    from bot.runner import AnalysisRunner
    from bot.settings import Settings
    from bot.sources import Sources


TREND_S = 3.0  # an answer does not wait longer for what others of the operation did
WITH_TREND = (VerdictKind.SLOWER, VerdictKind.FAILING, VerdictKind.NO_MEANINGFUL_DIFFERENCE)


class Gathered(Struct, frozen=True, kw_only=True):
    """The traces to compare. Without a `baseline` it is chosen among `others`."""

    baseline: FetchedTrace | None
    suspect: FetchedTrace
    others: Others | None = None


class Gatherer:
    """Finds and fetches, from the sources that a channel may ask."""

    def __init__(self, settings: Settings, sources: Sources, runner: AnalysisRunner) -> None:
        self._settings = settings
        self._sources = sources
        self._runner = runner

    async def gather(self, request: CompareRequest, channel: str) -> Gathered:
        """Fetch what is to be compared; raises `UserError` or `SourceError` for what cannot be found."""
        if request.baseline is None:
            suspect = await self._fetch(request, request.suspect, channel)
            root = await self._runner.root_call(suspect, deadline_s=self._settings.limits.analysis_s)
            place = self._place(request, channel, suspect, self._settings.limits.deadline_s / 3)
            return Gathered(baseline=None, suspect=suspect, others=await find_others(place, root))
        try:
            async with asyncio.TaskGroup() as both:
                baseline_, suspect_ = (
                    both.create_task(self._fetch(request, reference, channel))
                    for reference in (request.baseline, request.suspect)
                )
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        return Gathered(baseline=baseline_.result(), suspect=suspect_.result())

    async def trend(self, request: CompareRequest, channel: str, suspect: FetchedTrace, answer: Answer) -> str:
        """Say how the suspect stands among all requests of its operation; "" where its source cannot tell quickly."""
        its, kind = answer.comparison.suspect, answer.comparison.verdict.kind
        unsearchable = any(mask in its.root for mask in (MASK, EMAIL, CARD))
        if kind not in WITH_TREND or unsearchable or (kind is VerdictKind.FAILING and not answer.failed):
            return ""
        started_at = its.started_at_ns // 1_000_000_000
        trend = await self._place(request, channel, suspect, TREND_S).trend(
            its.root_service, its.root_operation, started_at=started_at, took_ns=its.response_time_ns,
            failed=answer.failed, now=int(time.time()),
        )  # fmt: skip
        return trend.words(started_at) if trend else ""

    def _place(self, request: CompareRequest, channel: str, suspect: FetchedTrace, deadline_s: float) -> Place:
        tenant = self._sources.tenant(channel, request.tenant)
        return Place(self._sources.named(suspect.source), tenant, deadline_s)

    async def _fetch(self, request: CompareRequest, reference: TraceRef, channel: str) -> FetchedTrace:
        return await self._sources.fetch(
            reference, channel=channel, source=request.source, tenant=request.tenant,
            deadline_s=self._settings.limits.deadline_s,
        )  # fmt: skip
