"""Find and fetch a fair sample of the requests of two windows, and ask how all of them went."""

from __future__ import annotations

import asyncio
import contextlib
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct, structs

from bot.errors import SourceError
from bot.finding.contrast import Apart, apart, picked
from bot.finding.exemplar import nothing_found
from bot.finding.place import Place
from bot.finding.sampling import NARROWINGS, Sampled, Slice, drawn, sampled, slices
from bot.sources.base import MOST, TraceQuery, TraceSummary
from bot.sources.many import AT_ONCE, fetch_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.redact import Redactor
    from bot.analysing.spool import Spool
    from bot.requests.request import Windows
    from bot.sources.base import FetchedTrace
    from bot.sources.metrics import Totals

WINDOW_BYTES = 64 * 1024 * 1024  # fetched of both windows together; of very large traces fewer will do


class Search(Struct, frozen=True):
    """What the windows of one source hold. `root`: requests that begin with the operation, not those through it."""

    place: Place
    root: bool
    slices: tuple[tuple[Slice, ...], tuple[Slice, ...]]
    unsearched: tuple[int, int]

    @property
    def requests(self) -> float:
        """About how many requests there are in the window that has fewer."""
        return min(sum(its.requests for its in one) for one in self.slices)

    @property
    def most(self) -> float:
        """About how many there are in the other one."""
        return max(sum(its.requests for its in one) for one in self.slices)


async def search_windows(place: Place, windows: Windows, *, root: bool, deadline_s: float) -> Search:
    """Search both windows, slice by slice, a few at once; what does not answer in time is left out.

    Raises `SourceError` when nothing of a window could be searched.
    """
    free = asyncio.Semaphore(AT_ONCE)
    query = _query(windows, root=root)
    cut = [slices(windows.baseline), slices(windows.suspect)]
    async with asyncio.TaskGroup() as group:
        tasks = {  # by turns: where time runs out, it does for both
            its: group.create_task(_search_slice(place, query, its, free, deadline_s))
            for its in chain.from_iterable(zip_longest(*cut))
            if its is not None
        }
    found: list[tuple[Slice, ...]] = []
    unsearched: list[int] = []
    for one in cut:
        results = [tasks[its].result() for its in one]
        errors = [its for its in results if isinstance(its, SourceError)]
        if len(errors) == len(results):
            raise errors[0]
        found.append(tuple(its for its in results if isinstance(its, Slice)))
        unsearched.append(len(errors))
    return Search(place, root, (found[0], found[1]), (unsearched[0], unsearched[1]))


async def _search_slice(
    place: Place, query: TraceQuery, whole: Slice, free: asyncio.Semaphore, deadline_s: float
) -> Slice | SourceError:
    """Search a slice, or, where its answer is full, a shorter piece of it; what was found last counts on failure."""
    best: Slice | None = None
    piece: Slice | None = whole
    try:
        async with asyncio.timeout(deadline_s):
            for _ in range(1 + NARROWINGS):
                if piece is None:
                    break
                async with free:
                    found = await place.find(structs.replace(query, window=piece.searched))
                best = structs.replace(piece, found=tuple(found.traces), cut=found.cut)
                if not found.cut:
                    break
                piece = best.narrowed()
    except SourceError as error:
        return best or error
    except TimeoutError:
        return best or SourceError("timeout", source=place.name, seconds=round(deadline_s))
    return best or whole


def _query(windows: Windows, *, root: bool) -> TraceQuery:
    return TraceQuery(
        service=windows.service, operation=windows.operation, window=windows.suspect, root=root, limit=MOST
    )


async def nothing_in(place: Place, windows: Windows, search: Search) -> Exception:
    """Say why a window of a search is empty: a name that is not known, a search that lags, or simply no traffic."""
    empty = next(
        window for window, its in zip((windows.suspect, windows.baseline), reversed(search.slices), strict=True)
        if not any(one.found for one in its)
    )  # fmt: skip
    query = structs.replace(_query(windows, root=search.root), window=empty)
    return await nothing_found(place, query, windows.asked_at)


class Fetched(NamedTuple):
    """A sample of both windows, and what all requests of B show where the backend can tell."""

    a: Sampled
    b: Sampled
    apart: Apart | None


async def fetch_windows(
    search: Search, windows: Windows, spools: tuple[Spool, Spool], deadline_s: float, redactor: Redactor
) -> Fetched:
    """Fetch a sample of both windows into spools, by turns, and have the backend count all requests meanwhile.

    Raises `SourceError` when not one trace came.
    """
    place = search.place
    wanted = [drawn(its) for its in search.slices]
    side = {its.trace_id: number for number, one in enumerate(wanted) for its in one}
    came = [0, 0]

    async def keep(its: TraceSummary, trace: FetchedTrace) -> None:
        number = side[its.trace_id]
        await spools[number].add(trace)
        came[number] += 1

    both = (windows.baseline, windows.suspect)
    counting = asyncio.create_task(_counted(place, _query(windows, root=search.root), both, deadline_s, redactor))
    try:
        await fetch_each(
            place.source, _by_turns(*wanted), keep, tenant=place.tenant, deadline_s=deadline_s, max_bytes=WINDOW_BYTES
        )
        totals, found = await counting
    finally:
        counting.cancel()
    a, b = (
        structs.replace(
            sampled(window, search.slices[number], search.unsearched[number], len(wanted[number])),
            fetched=came[number],
            totals=totals[number],
        )
        for number, window in enumerate(both)
    )
    return Fetched(a, b, found)


async def _counted(
    place: Place,
    query: TraceQuery,
    both: tuple[tuple[int, int], tuple[int, int]],
    deadline_s: float,
    redactor: Redactor,
) -> tuple[list[Totals | None], Apart | None]:
    """Ask how all requests of both windows went, and then what those of B share that are worse than A's."""
    ending = asyncio.get_running_loop().time() + deadline_s
    totals = await asyncio.gather(*(place.totals(structs.replace(query, window=window)) for window in both))
    its = picked(*totals)
    if its is None:
        return totals, None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout_at(ending):
            found = await place.contrasts(structs.replace(query, window=both[1]), its)
            return totals, apart(its, found, redactor) if found is not None else None
    return totals, None


def _by_turns(a: Sequence[TraceSummary], b: Sequence[TraceSummary]) -> list[TraceSummary]:
    """Merge two lists so that however far one comes, as much of each was taken as there is of it."""
    placed = [((i + 0.5) / len(one), number, its) for number, one in enumerate((a, b)) for i, its in enumerate(one)]
    return [its for _, _, its in sorted(placed, key=lambda each: each[:2])]
