"""Compare the requests of two windows: find a fair sample of both, fetch it, have a child process compare.

    search both, in every source that may be asked -> the one that has most -> sample into spools -> child
                                                      meanwhile: how all requests went, and what the worse ones of B
                                                      share, where the backend computes that

`compare_windows` is all that a caller needs, whichever way the question came.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from analysis.redact import Redactor
from bot.analysing.child import WindowsAnswer
from bot.analysing.spool import spools
from bot.errors import SourceError, UserError
from bot.finding import Place
from bot.finding.contrast import Apart
from bot.finding.sampling import Sampled
from bot.finding.windows import Search, fetch_windows, nothing_in, search_windows
from bot.requests.request import Windows

if TYPE_CHECKING:
    from bot.analysing.runner import AnalysisRunner
    from bot.requests.request import CompareRequest
    from bot.settings import Settings
    from bot.sources import Sources


class ComparedWindows(Struct, frozen=True, kw_only=True):
    """What came out, and of how much. `root`: the requests begin with the operation; else they pass through it."""

    windows: Windows
    source: str
    root: bool
    sampled: tuple[Sampled, Sampled]  # of A and of B
    answer: WindowsAnswer
    apart: Apart | None = None  # what sets the worse ones of all requests of B apart


async def compare_windows(
    request: CompareRequest, channel: str, *, sources: Sources, runner: AnalysisRunner, settings: Settings
) -> ComparedWindows:
    """Compare the windows that a request names, in the sources that a channel may ask.

    Raises `UserError` for what cannot be found, `SourceError` for a source that does not answer, `AnalysisError`.
    """
    if request.windows is None:
        raise UserError("usage")
    windows, limits = request.windows, settings.limits
    redactor = Redactor(settings.redaction.names, settings.redaction.patterns)
    tenant = sources.tenant(channel, request.tenant)
    asked = sources.asked(channel, request.source)
    places = [Place(source, tenant, limits.deadline_s / 3) for source in asked]
    search = await _searched(places, windows, limits.deadline_s / 3)
    with spools() as (a, b):
        *sampled, apart = await fetch_windows(search, windows, (a, b), limits.deadline_s / 3, redactor)
        answer = await runner.compare_windows(a.written(), b.written(), deadline_s=limits.analysis_s)
    one, other = (
        structs.replace(its, unreadable=unreadable)
        for its, unreadable in zip(sampled, answer.unreadable, strict=True)
    )  # fmt: skip
    return ComparedWindows(
        windows=windows,
        source=search.place.name,
        root=search.root,
        sampled=(one, other),
        answer=answer,
        apart=apart,
    )


async def _searched(places: list[Place], windows: Windows, deadline_s: float) -> Search:
    """Search every place for requests that begin with the operation, else for those that pass through it."""
    for root in (True, False):
        results = await asyncio.gather(
            *(search_windows(place, windows, root=root, deadline_s=deadline_s / 2) for place in places),
            return_exceptions=True,
        )
        found = [its for its in results if isinstance(its, Search)]
        for its in results:
            if not isinstance(its, (Search, SourceError)):
                raise its
        if not found:
            raise next(its for its in results if isinstance(its, SourceError))
        best = max(found, key=lambda search: search.requests)
        if best.requests:
            return best
        some = max(found, key=lambda search: search.most)
        if some.most or not root:
            raise await nothing_in(some.place, windows, some)
    raise UserError("no-sources")
