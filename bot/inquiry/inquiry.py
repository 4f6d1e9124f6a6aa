"""The inquiry: from a request to its result, whoever asked for it and wherever the answer goes.

two traces:   gather them -> compare in a child -> how all requests of the operation went
two windows:  sample both -> compare in a child
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.errors import SourceError
from bot.inquiry.comparing_windows import compare_windows
from bot.inquiry.gathering import Gatherer
from bot.inquiry.result import Result, WindowsResult
from bot.requests.request import TraceRef

if TYPE_CHECKING:
    from bot.analysing.runner import AnalysisRunner
    from bot.inquiry.comparing_windows import ComparedWindows
    from bot.inquiry.result import Kept
    from bot.requests.request import CompareRequest, Origin
    from bot.settings import Settings
    from bot.sources import Sources


class Inquiry:
    """Finds out what a request asks for."""

    def __init__(self, settings: Settings, sources: Sources, runner: AnalysisRunner) -> None:
        self._settings = settings
        self._sources = sources
        self._gatherer = Gatherer(settings, sources, runner)
        self._runner = runner

    async def result(self, request: CompareRequest, origin: Origin) -> Kept:
        """Find out what was asked, within the deadlines; raises `BotError` where there is no answer."""
        if request.windows is not None:
            compared = await self.windows(request, origin.channel)
            return WindowsResult(request=request, origin=origin, compared=compared)
        return await self.traces(request, origin)

    async def windows(self, request: CompareRequest, channel: str) -> ComparedWindows:
        """Compare the windows that a request names, in the sources that a channel may ask; raises as `result`."""
        return await compare_windows(
            request, channel, sources=self._sources, runner=self._runner, settings=self._settings
        )

    async def traces(self, request: CompareRequest, origin: Origin) -> Result:
        """Gather and compare two traces; raises as `result`."""
        try:
            async with asyncio.timeout(self._settings.limits.deadline_s):
                traces = await self._gatherer.gather(request, origin.channel)
        except TimeoutError:
            seconds = round(self._settings.limits.deadline_s)
            raise SourceError("timeout", source="the trace source", seconds=seconds) from None
        others = traces.others.traces if traces.others else ()
        answer = await self._runner.compare(
            traces.baseline, traces.suspect, others, deadline_s=self._settings.limits.analysis_s
        )
        trend = await self._gatherer.trend(request, origin.channel, traces.suspect, answer)
        source = (traces.baseline or traces.suspect).source
        return Result(
            request=request, origin=origin, answer=answer, baseline_source=source, suspect_source=traces.suspect.source,
            baseline=request.baseline or TraceRef(trace_id=answer.comparison.baseline.trace_id, source=source),
            suspect=traces.reference, compared_with=traces.others.words(answer.population) if traces.others else "",
            stands_for=traces.stands_for, trend=trend,
        )  # fmt: skip
