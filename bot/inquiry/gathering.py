"""Gathering: from a request to the fetched traces that it is about.

two traces named:  both are fetched at once
one named:         it is fetched, then others of its operation that show what is usual
none, but a clue:  one that shows what the clue is about is searched for first
and afterwards:    how all requests of the operation went, where the backend computes that
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from analysis.comparison import VerdictKind
from analysis.redact import CARD, EMAIL, MASK
from bot.errors import SourceError, UserError
from bot.finding import Exemplar, Others, Place, find_exemplar, find_others
from bot.requests.request import TraceRef
from bot.sources.base import FetchedTrace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.analysing.child import Answer
    from bot.analysing.runner import AnalysisRunner
    from bot.requests.request import Clue, CompareRequest
    from bot.settings import Settings
    from bot.sources import Sources


TREND_S = 3.0  # an answer does not wait longer for what others of the operation did
WITH_TREND = (VerdictKind.SLOWER, VerdictKind.FAILING, VerdictKind.NO_MEANINGFUL_DIFFERENCE)


class Gathered(Struct, frozen=True, kw_only=True):
    """The traces to compare. Without a `baseline` it is chosen among `others`.

    `reference` is the suspect's; `stands_for` says what it stands for where it was found and not named.
    """

    baseline: FetchedTrace | None
    suspect: FetchedTrace
    reference: TraceRef
    others: Others | None = None
    stands_for: str = ""


class Gatherer:
    """Finds and fetches, from the sources that a channel may ask."""

    def __init__(self, settings: Settings, sources: Sources, runner: AnalysisRunner) -> None:
        self._settings = settings
        self._sources = sources
        self._runner = runner

    async def gather(self, request: CompareRequest, channel: str) -> Gathered:
        """Fetch what is to be compared; raises `UserError` or `SourceError` for what cannot be found."""
        reference, stands_for = request.suspect, ""
        if reference is None:
            if request.clue is None:
                raise UserError("usage")
            exemplar, stands_for = await self._exemplar(request, request.clue, channel)
            reference = TraceRef(trace_id=exemplar.summary.trace_id, source=exemplar.source)
        if request.baseline is None:
            suspect = await self._fetch(request, reference, channel)
            root = await self._runner.root_call(suspect, deadline_s=self._settings.limits.analysis_s)
            place = self._place(request, channel, suspect.source, self._settings.limits.deadline_s / 3)
            others = await find_others(place, root)
            return Gathered(baseline=None, suspect=suspect, reference=reference, others=others, stands_for=stands_for)
        try:
            async with asyncio.TaskGroup() as both:
                baseline_, suspect_ = (
                    both.create_task(self._fetch(request, its, channel)) for its in (request.baseline, reference)
                )
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        return Gathered(
            baseline=baseline_.result(), suspect=suspect_.result(), reference=reference, stands_for=stands_for
        )

    async def _exemplar(self, request: CompareRequest, clue: Clue, channel: str) -> tuple[Exemplar, str]:
        """Find a trace that shows what a clue is about, and say what it stands for.

        What alerts call an operation is often a route or a job that no span is named after: then any request counts.
        """
        try:
            exemplar = await self._search(request, clue, channel)
        except UserError as error:
            if error.code != "unknown-operation":
                raise
            exemplar = await self._search(request, msgspec.structs.replace(clue, operation=None), channel)
            return exemplar, f"{exemplar.words}; no span there is called “{clue.operation}”"
        return exemplar, exemplar.words

    async def _search(self, request: CompareRequest, clue: Clue, channel: str) -> Exemplar:
        """Ask every source that may be asked for a trace that shows what the clue is about; the first that has one."""
        names = [its.settings.name for its in self._sources.asked(channel, request.source)]
        results = await asyncio.gather(
            *(
                find_exemplar(
                    self._place(request, channel, name, self._settings.limits.deadline_s / 3), clue.service,
                    clue.operation, clue.window, failing=clue.failing, now=int(time.time()),
                )
                for name in names
            ),
            return_exceptions=True,
        )  # fmt: skip
        errors: list[SourceError | UserError] = []
        for result in results:
            if isinstance(result, Exemplar):
                return result
            if not isinstance(result, (SourceError, UserError)):
                raise result
            errors.append(result)
        raise _worst(errors)

    async def trend(self, request: CompareRequest, channel: str, suspect: FetchedTrace, answer: Answer) -> str:
        """Say how the suspect stands among all requests of its operation; "" where its source cannot tell quickly."""
        its, kind = answer.comparison.suspect, answer.comparison.verdict.kind
        unsearchable = any(mask in its.root for mask in (MASK, EMAIL, CARD))
        if kind not in WITH_TREND or unsearchable or (kind is VerdictKind.FAILING and not answer.failed):
            return ""
        started_at = its.started_at_ns // 1_000_000_000
        trend = await self._place(request, channel, suspect.source, TREND_S).trend(
            its.root_service, its.root_operation, started_at=started_at, took_ns=its.response_time_ns,
            failed=answer.failed, now=int(time.time()),
        )  # fmt: skip
        return trend.words(started_at) if trend else ""

    def _place(self, request: CompareRequest, channel: str, source: str, deadline_s: float) -> Place:
        tenant = self._sources.tenant(channel, request.tenant)
        return Place(self._sources.named(source), tenant, deadline_s)

    async def _fetch(self, request: CompareRequest, reference: TraceRef, channel: str) -> FetchedTrace:
        return await self._sources.fetch(
            reference, channel=channel, source=request.source, tenant=request.tenant,
            deadline_s=self._settings.limits.deadline_s,
        )  # fmt: skip


def _worst(errors: Sequence[SourceError | UserError]) -> SourceError | UserError:
    """Choose what to say when no source has a trace: first one that could not be asked, then one that knows the names.

    `errors` is not empty.
    """

    def rank(error: SourceError | UserError) -> int:
        if isinstance(error, SourceError):
            return 0
        order = ("search-lags", "nothing-found", "unknown-operation")
        return 1 + order.index(error.code) if error.code in order else 9

    return min(errors, key=rank)
