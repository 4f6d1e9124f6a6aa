"""Sources: the trace backends this bot may ask, and the rules of whom to ask for which trace."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.ending import ended
from bot.errors import SourceError, UserError
from bot.sources.base import FetchedTrace, TraceSource
from bot.sources.cached import CachedSource
from bot.sources.jaeger import JaegerSource
from bot.sources.tempo import TempoSource
from bot.sources.watched import WatchedSource

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from bot.cache.trace_cache import TraceCache
    from bot.requests.request import TraceRef
    from bot.settings import Settings, SourceSettings

__all__ = ["FetchedTrace", "Sources", "TraceSource", "open_sources"]

PREFERENCE_S = 2.0  # that a source is waited for when one behind it has the trace: what is there answers within this
LOOK_AGAIN_S = 1.0  # pause before looking again for a trace that may still be arriving
KINDS: dict[str, Callable[[SourceSettings], TraceSource]] = {"jaeger": JaegerSource, "tempo": TempoSource}


class Sources:
    """The configured sources by name."""

    def __init__(
        self, sources: Mapping[str, TraceSource], settings: Settings, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._sources = sources
        self._settings = settings
        self._sleep = sleep

    @property
    def hosts(self) -> dict[str, str]:
        """Host of every link that belongs to a source -> the source's name; "" where several share the host."""
        return _hosts(self._sources.values())

    def hosts_for(self, channel: str) -> dict[str, str]:
        """Return the same of the sources that a channel may ask."""
        return _hosts(self.allowed(channel))

    def allowed(self, channel: str) -> list[TraceSource]:
        """Return the sources that a channel may ask."""
        its = self._settings.reach(channel)
        names = its.sources if its and its.sources else tuple(self._sources)
        return [self._sources[name] for name in names]

    def named(self, name: str) -> TraceSource:
        """Return a source."""
        return self._sources[name]

    def tenant(self, channel: str, asked: str | None) -> str | None:
        """Return the tenant to ask for: the one that was said, else the channel's; `UserError` for one it may not."""
        its = self._settings.reach(channel)
        if its is None:
            return asked
        tenant = asked or its.tenant or next(iter(its.tenants), None)
        if its.tenants and tenant not in its.tenants:
            raise UserError("unknown-tenant", tenant=(tenant or "")[:40], known=", ".join(its.tenants))
        return tenant

    def settings_of(self, name: str) -> SourceSettings:
        """Return the settings of a source."""
        return self._sources[name].settings

    async def fetch(
        self, reference: TraceRef, *, channel: str, source: str | None, tenant: str | None, deadline_s: float
    ) -> FetchedTrace:
        """Fetch a trace from the source that is named, or from whichever allowed source has it.

        A trace that is nowhere is looked for again for a few seconds: it may still be arriving.
        """
        asked = self.asked(channel, reference.source or source)
        tenant = self.tenant(channel, tenant)
        patience_s = min(self._settings.limits.missing_retry_s, deadline_s / 2)
        while True:
            try:
                return await self._race(asked, reference, tenant, deadline_s)
            except SourceError as error:
                if error.code != "trace-not-found" or patience_s < LOOK_AGAIN_S:
                    raise
            await self._sleep(LOOK_AGAIN_S)
            patience_s -= LOOK_AGAIN_S

    def asked(self, channel: str, name: str | None) -> list[TraceSource]:
        """Return the sources to ask: the one that is named, else all that a channel may ask; raises `UserError`."""
        allowed = self.allowed(channel)
        if not allowed:
            raise UserError("no-sources")
        if name is None:
            return allowed
        named = [source for source in allowed if source.settings.name == name]
        if not named:
            known = ", ".join(source.settings.name for source in allowed)
            raise UserError("unknown-source", source=name[:40], known=known)
        return named

    @staticmethod
    async def _race(
        asked: list[TraceSource], reference: TraceRef, tenant: str | None, deadline_s: float
    ) -> FetchedTrace:
        """Ask all at once; the first in the configured order that has the trace wins, else the worst error is said.

        Once it came from one, those behind it are not waited for, and those before it only for a moment.
        """
        asking = [
            asyncio.create_task(
                source.fetch(reference.trace_id, window=reference.window, tenant=tenant, deadline_s=deadline_s)
            )
            for source in asked
        ]
        errors: list[SourceError] = []
        try:
            for place, task in enumerate(asking):
                await _heard(task, asking[place + 1 :])
                if not task.done():
                    continue
                error = task.exception()
                if not isinstance(error, SourceError):
                    return task.result()
                errors.append(error)
        finally:
            await ended(asking)
        # "Not found" from one source means little while another could not be asked.
        raise next((error for error in errors if error.code != "trace-not-found"), _nowhere(errors, reference))

    async def ping(self) -> dict[str, str | SourceError]:
        """Ask every source whether it is there."""
        results = await asyncio.gather(*(s.ping() for s in self._sources.values()), return_exceptions=True)
        answers: dict[str, str | SourceError] = {}
        for name, result in zip(self._sources, results, strict=True):
            if isinstance(result, BaseException) and not isinstance(result, SourceError):
                raise result
            answers[name] = result
        return answers

    async def aclose(self) -> None:
        """Close all connections."""
        for source in self._sources.values():
            await source.aclose()


async def _heard(asked: asyncio.Task[FetchedTrace], behind: Sequence[asyncio.Task[FetchedTrace]]) -> None:
    """Wait for what a source says, but only for a moment once one behind it has the trace."""
    while not asked.done() and not any(map(_came, behind)):
        await asyncio.wait([asked, *(task for task in behind if not task.done())], return_when=asyncio.FIRST_COMPLETED)
    await asyncio.wait([asked], timeout=PREFERENCE_S)


def _came(asked: asyncio.Task[FetchedTrace]) -> bool:
    return asked.done() and asked.exception() is None


def _hosts(sources: Iterable[TraceSource]) -> dict[str, str]:
    found: dict[str, str] = {}
    for source in sources:
        for host in source.settings.hosts:
            found[host] = "" if host in found else source.settings.name
    return found


def _nowhere(errors: list[SourceError], reference: TraceRef) -> SourceError:
    names = " or ".join(error.source for error in errors)
    return SourceError("trace-not-found", source=names, trace=reference.trace_id)


def open_sources(
    settings: Settings, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep, cache: TraceCache | None = None
) -> Sources:
    """Create the clients of every configured source; with a cache, what it has is not asked of them."""
    opened = [KINDS[its.kind](its) for its in settings.all_sources]
    sources = {its.settings.name: WatchedSource(its) if cache is None else CachedSource(its, cache) for its in opened}
    return Sources(sources, settings, sleep)
