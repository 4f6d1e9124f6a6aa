"""Recollecting: what an answer may say of earlier ones about the same cause, and to whom.

A channel may learn of an answer when
- it stands in that very channel, or
- it stands in another channel of the same workspace that everybody there may join and nobody else reads, it was made
  from sources that this channel may ask, for the tenant that this channel asks for, and no other organisation reads
  this channel.

A program is another channel that nobody else reads: it may learn of what stands in open channels of the one workspace
that this bot is in, made from sources and for the tenant that its token may ask. Its own answers stand nowhere.

Private answers are never remembered. What may not be told is not counted either. An answer that is gone from its
channel is not told of. Whatever fails or takes long here costs the line, never the answer.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog
from msgspec import Struct

from analysis.comparison import VerdictKind
from bot.inquiry.result import Recollection, Result
from bot.requests.windows import words
from bot.requests.wording import named
from bot.settings.reach import PROGRAM
from bot.state.memory import DAY_S, MOST_CAUSES, Answered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from analysis import FleetComparison
    from analysis.comparison import Cause, Comparison
    from analysis.fleet.result import FleetCause
    from bot.inquiry.result import Kept
    from bot.settings import Settings
    from bot.slack.permissions import Permissions
    from bot.slack.post import Delivery
    from bot.sources import Sources
    from bot.state.memory import Memory
    from bot.state.results import Results

PATIENCE_S = 2.0  # that a line of small print may cost
LOOKED_AT = 50  # earlier answers, newest first
CHANNELS = 5  # others that Slack is asked about
LINKS = 3  # tried, the best first
RECENT_DAYS = 14
# Verdicts whose first cause is news when it comes back. A recovery or a difference that means nothing is none.
TELLING = (VerdictKind.SLOWER, VerdictKind.FAILING, VerdictKind.CHANGED)

log = structlog.get_logger()


class Here(Struct, frozen=True, kw_only=True):
    """Where an answer is given: its channel, and what that may ask."""

    team: str
    channel: str
    sources: frozenset[str]
    tenant: str | None

    def may_know(self, answered: Answered) -> bool:
        """Tell whether what an answer was made from may be known here; who reads it where it stands is not asked."""
        if answered.team != self.team:
            return False
        if answered.channel == self.channel:
            return True
        return self.sources.issuperset(answered.sources) and answered.tenant == self.tenant


class Recollecting:
    """Remembers answers, and recalls them for others."""

    def __init__(
        self, settings: Settings, sources: Sources, memory: Memory, results: Results, delivery: Delivery,
        permissions: Permissions, clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._sources = sources
        self._memory = memory
        self._results = results
        self._delivery = delivery
        self._permissions = permissions
        self._clock = clock

    async def remember(self, key: str, result: Kept, ts: str) -> None:
        """Remember an answer that stands in its channel as message `ts`; never raises."""
        try:
            await self._memory.remember(self._answered(key, result, ts))
        except Exception:
            log.exception("cannot remember an answer", key=key)

    async def recollect(self, key: str, result: Kept, team: str = "") -> Recollection | None:
        """Return what to say of earlier answers about the cause of this one; never raises.

        `team`: the workspace whose answers a program may learn of; somebody in a channel learns of those of their own.
        """
        cause = _telling(result)
        if cause is None or not self._settings.retention.memory_days:
            return None
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._recollect(key, result, cause.fingerprint, team or result.origin.team)
        except TimeoutError:
            log.info("recollecting takes too long", key=key)
        except Exception:
            log.exception("cannot recollect", key=key)
        return None

    async def _recollect(self, key: str, result: Kept, fingerprint: str, team: str) -> Recollection | None:
        here = self._here(result, team)
        seen = await self._memory.seen(here.team, fingerprint, LOOKED_AT)
        told = await self._visible([its for its in seen if its.key != key and here.may_know(its)], here)
        since = self._clock() - RECENT_DAYS * DAY_S
        recent = {its.suspect_id or its.windows for its in told if its.at > since}  # each request, each window once
        votes = {its.key: await self._results.feedback(its.key) for its in told}
        worth = {name: (its.useful > its.not_useful, its.useful >= its.not_useful) for name, its in votes.items()}
        for best in sorted(told, key=lambda its: worth[its.key], reverse=True)[:LINKS]:
            permalink = await self._delivery.permalink(best.channel, best.ts)
            if permalink:
                return Recollection(
                    key=best.key, fingerprint=fingerprint, at=best.at, permalink=permalink,
                    elsewhere="" if best.channel == here.channel else best.channel,
                    useful=votes[best.key].useful if worth[best.key][0] else 0, times=len(recent), days=RECENT_DAYS,
                )  # fmt: skip
        return None

    async def _visible(self, known: Iterable[Answered], here: Here) -> list[Answered]:
        """Return those that stand here, or where everybody here could read them."""
        answers = list(known)
        others = list(dict.fromkeys(its.channel for its in answers if its.channel != here.channel))[:CHANNELS]
        allowed = self._settings.allowed_channels
        others = [channel for channel in others if not allowed or channel in allowed]
        if not others or await self._read_by_strangers(here):
            open_to_all = set()
        else:
            open_to_all = {channel for channel in others if await self._permissions.is_open(here.team, channel)}
        return [its for its in answers if its.channel == here.channel or its.channel in open_to_all]

    async def _read_by_strangers(self, here: Here) -> bool:
        """Tell whether another organisation reads what is said here; what a program hears, nobody else does."""
        if here.channel.startswith(PROGRAM):
            return False
        return await self._permissions.may_be_read_by_strangers(here.team, here.channel)

    def _here(self, result: Kept, team: str) -> Here:
        origin = result.origin
        allowed = self._sources.allowed(origin.channel)
        return Here(
            team=team, channel=origin.channel, sources=frozenset(source.settings.name for source in allowed),
            tenant=self._sources.tenant(origin.channel, result.request.tenant),
        )  # fmt: skip

    def _answered(self, key: str, result: Kept, ts: str) -> Answered:
        origin, comparison = result.origin, _comparison(result)
        causes = comparison.causes[:MOST_CAUSES]
        a_id = b_id = compared = ""
        if isinstance(result, Result):
            its = result.request.baseline  # else A was found, and is a typical request to whoever looks back
            a_id, b_id = its.trace_id if its else "", result.suspect.trace_id
            request, sources = result.answer.comparison.suspect.root, {result.baseline_source, result.suspect_source}
        else:
            windows, sources = result.compared.windows, {result.compared.source}
            compared, request = words(windows), named(windows.service, windows.operation)
        return Answered(
            key=key, team=origin.team, channel=origin.channel, ts=ts, at=self._clock(), user=origin.user,
            user_name=origin.user_name, baseline_id=a_id, suspect_id=b_id, windows=compared,
            verdict=comparison.verdict.kind.value, headline=comparison.verdict.headline, request=request,
            about=tuple(f"{cause.summary} ({cause.service} {cause.operation})" for cause in causes),
            fingerprints=tuple(cause.fingerprint for cause in causes) if _telling(result) else (),
            sources=tuple(sorted(sources)),
            tenant=self._here(result, origin.team).tenant,
        )  # fmt: skip


def _comparison(result: Kept) -> Comparison | FleetComparison:
    return result.answer.comparison if isinstance(result, Result) else result.compared.answer.comparison


def _telling(result: Kept) -> Cause | FleetCause | None:
    """Return the cause that is news when it comes back; None where there is none."""
    comparison = _comparison(result)
    if comparison.verdict.kind not in TELLING or not comparison.causes or not comparison.causes[0].fingerprint:
        return None
    return comparison.causes[0]
