"""The inquiry: from a request to its result, whoever asked for it and wherever the answer goes.

gather the traces -> compare in a child -> how all requests of the operation went
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.errors import SourceError
from bot.gathering import Gatherer
from bot.request import TraceRef
from bot.results import Result

if TYPE_CHECKING:
    from bot.request import CompareRequest, Origin
    from bot.runner import AnalysisRunner
    from bot.settings import Settings
    from bot.sources import Sources


class Inquiry:
    """Finds out what a request asks for."""

    def __init__(self, settings: Settings, sources: Sources, runner: AnalysisRunner) -> None:
        self._limits = settings.limits
        self._gatherer = Gatherer(settings, sources, runner)
        self._runner = runner

    async def result(self, request: CompareRequest, origin: Origin) -> Result:
        """Gather and compare, within the deadlines; raises `BotError` where there is no answer."""
        try:
            async with asyncio.timeout(self._limits.deadline_s):
                traces = await self._gatherer.gather(request, origin.channel)
        except TimeoutError:
            seconds = round(self._limits.deadline_s)
            raise SourceError("timeout", source="the trace source", seconds=seconds) from None
        others = traces.others.traces if traces.others else ()
        answer = await self._runner.compare(traces.baseline, traces.suspect, others, deadline_s=self._limits.analysis_s)
        trend = await self._gatherer.trend(request, origin.channel, traces.suspect, answer)
        source = (traces.baseline or traces.suspect).source
        return Result(
            request=request, origin=origin, answer=answer, baseline_source=source, suspect_source=traces.suspect.source,
            baseline=request.baseline or TraceRef(trace_id=answer.comparison.baseline.trace_id, source=source),
            suspect=traces.reference, compared_with=traces.others.words(answer.population) if traces.others else "",
            stands_for=traces.stands_for, trend=trend,
        )  # fmt: skip
