"""Completing an answer: what logs and metrics say about it, once they have answered.

The verdict never waits: the sources are asked while it is posted, and what they say within their time becomes one more
message in its thread (told to the asker alone where the answer was), and the confidence of the root message where it
changes that.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import structlog

from bot.errors import BotError
from bot.evidence.question import question_of
from bot.evidence.weighing import weigh, weighed
from bot.slack import messages

if TYPE_CHECKING:
    from bot.evidence.facts import Evidence
    from bot.evidence.sources import EvidenceSources
    from bot.evidence.weighing import Weight
    from bot.inquiry.result import Result
    from bot.job.answering import Answering
    from bot.settings import Settings
    from bot.slack.aside import Aside
    from bot.slack.post import Delivery
    from bot.sources import Sources
    from bot.state.ledger import Ledger

log = structlog.get_logger()


class Completing:
    """Asks for evidence, and says it."""

    def __init__(
        self, settings: Settings, sources: Sources, evidence: EvidenceSources, ledger: Ledger, delivery: Delivery,
        aside: Aside, answering: Answering,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._sources = sources
        self._evidence = evidence
        self._ledger = ledger
        self._delivery = delivery
        self._aside = aside
        self._answering = answering

    def begin(self, result: Result) -> asyncio.Task[Evidence] | None:
        """Start asking about a result; None where there is nobody to ask, or nothing to ask about."""
        channel = result.origin.channel
        question = question_of(result.answer)
        if question is None or not self._evidence.names(channel):
            return None
        tenant = self._sources.tenant(channel, result.request.tenant)
        return asyncio.create_task(self._evidence.evidence(question, channel, tenant))

    async def complete(self, key: str, result: Result, asking: asyncio.Task[Evidence], *, first: bool) -> None:
        """Say what was found, under an answer that stands: nothing that goes wrong here may spoil it."""
        try:
            evidence = await asking
            if not (evidence.found or (evidence.silent and self._settings.evidence.tell_failures)):
                return
            await self._say(key, result, evidence, first=first)
        except BotError as error:
            log.warning("evidence not told", key=key, error=str(error))
        except Exception:
            log.exception("evidence not told", key=key)

    async def _say(self, key: str, result: Result, evidence: Evidence, *, first: bool) -> None:
        origin, comparison = result.origin, result.answer.comparison
        weight = weigh(comparison, evidence)
        message = messages.evidence(evidence, weight, comparison, self._answering.asked(key, result))
        if result.request.private:
            await self._aside.tell(origin, message)
            return
        entry = await self._ledger.entry(key)
        root_ts = entry.root_ts if entry else ""
        thread_ts = origin.thread_ts or root_ts
        if not thread_ts:
            return
        message_id = f"{key}-evidence"
        if first or not await self._delivery.find(origin.channel, message_id, thread_ts):
            await self._delivery.post(origin.channel, message, message_id=message_id, thread_ts=thread_ts)
        if weight is not None and weight.changed and root_ts:
            await self._reword(key, root_ts, result, weight)

    async def _reword(self, key: str, root_ts: str, result: Result, weight: Weight) -> None:
        """Have the root message, and the result behind its buttons, say the confidence as it is now."""
        comparison = weighed(result.answer.comparison, weight)
        answer = msgspec.structs.replace(result.answer, comparison=comparison)
        asked = await self._answering.keep(key, msgspec.structs.replace(result, answer=answer))
        await self._delivery.update(result.origin.channel, root_ts, messages.verdict(comparison, asked))
