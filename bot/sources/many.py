"""Fetch many traces of one source: a few at once, within a time and a size, whatever becomes of single ones."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec import Struct

from bot.errors import SourceError
from bot.sources.base import FetchedTrace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.sources.base import TraceSource, TraceSummary

AT_ONCE = 6
PADDING_S = 3600  # around a trace's start: backends prune by time, and clocks and late spans differ


class Fetched(Struct, frozen=True, kw_only=True):
    """The traces that came, in the order asked for, and how many did not."""

    traces: tuple[FetchedTrace, ...]
    missing: int = 0  # not found, refused, unreadable, or not there in time
    left_out: int = 0  # not asked for: what had come was as much as was allowed


class Missed(Struct, frozen=True, kw_only=True):
    """How many traces did not come; as in `Fetched`."""

    missing: int
    left_out: int


async def fetch_many(
    source: TraceSource, wanted: Sequence[TraceSummary], *, tenant: str | None, deadline_s: float, max_bytes: int
) -> Fetched:
    """Fetch traces that a search found, until `deadline_s` or until they have `max_bytes` together.

    Never raises for single traces; raises the first error when not one of them came.
    """
    came: dict[str, FetchedTrace] = {}

    async def keep(its: TraceSummary, trace: FetchedTrace) -> None:
        came[its.trace_id] = trace

    missed = await fetch_each(source, wanted, keep, tenant=tenant, deadline_s=deadline_s, max_bytes=max_bytes)
    traces = tuple(came[its.trace_id] for its in wanted if its.trace_id in came)
    return Fetched(traces=traces, missing=missed.missing, left_out=missed.left_out)


async def fetch_each(
    source: TraceSource,
    wanted: Sequence[TraceSummary],
    keep: Callable[[TraceSummary, FetchedTrace], Awaitable[None]],
    *,
    tenant: str | None,
    deadline_s: float,
    max_bytes: int,
) -> Missed:
    """Fetch traces as `fetch_many` does, and hand over each as it comes; those not kept yet wait in no memory."""
    errors: list[SourceError] = []
    waiting = list(reversed(wanted))
    came = size = 0

    async def work() -> None:
        nonlocal came, size
        while waiting and size < max_bytes:
            its = waiting.pop()
            started = its.started_at_ns // 1_000_000_000
            try:
                trace = await source.fetch(
                    its.trace_id,
                    window=(started - PADDING_S, started + PADDING_S),
                    tenant=tenant,
                    deadline_s=deadline_s,
                )
            except SourceError as error:
                errors.append(error)
            else:
                size += len(trace.body)
                await keep(its, trace)
                came += 1

    try:
        async with asyncio.timeout(deadline_s), asyncio.TaskGroup() as group:
            for _ in range(min(AT_ONCE, len(wanted))):
                group.create_task(work())
    except TimeoutError:
        errors.append(SourceError("timeout", source=source.settings.name, seconds=round(deadline_s)))
    if errors and not came:
        raise errors[0]
    left_out = len(waiting) if size >= max_bytes else 0
    return Missed(missing=len(wanted) - came - left_out, left_out=left_out)
