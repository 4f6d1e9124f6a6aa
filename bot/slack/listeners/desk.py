"""The desk behind every way in: who may ask, where a request goes, how the person who asked is told something."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from bot import audit
from bot.alert_request import request_about
from bot.alerts import read_alert
from bot.commands import COMMAND
from bot.comparing import Payload
from bot.errors import MY_FAULT, BotError, SourceError, UserError
from bot.request import CompareRequest, History, ListSources
from bot.results import Result
from bot.slack import forms, notices
from bot.slack.messages.root import MARKS
from bot.slack.workspaces import acting_in
from bot.windows import words

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from bot.answering import Answering
    from bot.comparing import Jobs
    from bot.evidence.sources import EvidenceSources
    from bot.ledger import Entry, Ledger
    from bot.request import Asked, Origin
    from bot.settings import Settings
    from bot.slack.aside import Aside
    from bot.slack.elements import Message
    from bot.slack.installations import Installations
    from bot.slack.post import Delivery
    from bot.sources import Sources

AGAIN_S = 3600.0  # Slack sends an event that it thinks lost again for some minutes
MOST_EVENTS = 10_000
HISTORY = 10  # comparisons listed

log = structlog.get_logger()


class Desk:
    """What the listeners share."""

    def __init__(
        self, settings: Settings, sources: Sources, evidence: EvidenceSources, jobs: Jobs, ledger: Ledger,
        delivery: Delivery, aside: Aside, answering: Answering, installations: Installations | None,
    ) -> None:  # fmt: skip
        self.settings = settings
        self.sources = sources
        self._evidence = evidence
        self.jobs = jobs
        self.delivery = delivery
        self.aside = aside
        self.answering = answering
        self.installations = installations
        self._ledger = ledger
        self._events: dict[str, float] = {}

    def check(self, origin: Origin) -> None:
        """Refuse channels and people that are not allowed."""
        settings = self.settings
        if settings.allowed_channels and origin.channel not in settings.allowed_channels:
            raise UserError("channel-refused")
        named = origin.user in settings.allowed_users or origin.watched
        if settings.allowed_users and not named and not settings.allowed_user_groups:
            raise UserError("user-refused")

    def source_names(self, channel: str) -> list[str]:
        """Return the names of the sources that a channel may ask."""
        return [source.settings.name for source in self.sources.allowed(channel)]

    def is_new(self, event_id: str) -> bool:
        """Tell whether an event comes for the first time: Slack sends one again whose receipt it is not sure of."""
        if not event_id:
            return True
        now = time.monotonic()
        while self._events and (len(self._events) > MOST_EVENTS or next(iter(self._events.values())) < now - AGAIN_S):
            del self._events[next(iter(self._events))]
        if event_id in self._events:
            return False
        self._events[event_id] = now
        return True

    def work(self, origin: Origin, work: Awaitable[Message | None]) -> None:
        """Do something that ends in at most one message to the person who asked; errors are told as well."""
        self.jobs.start(self.see_through(origin, work))

    async def see_through(self, origin: Origin, work: Awaitable[Message | None]) -> None:
        """Wait for something that ends in at most one message to the person who asked; never raises."""
        acting_in(origin.team)
        try:
            message = await work
        except BotError as error:
            audit.ended(origin, "refused", error.code)
            message = notices.failure(str(error))
        except Exception:
            log.exception("listener failed")
            message = notices.failure(MY_FAULT)
        if message is not None:
            await self.tell(origin, message)

    async def tell(self, origin: Origin, message: Message) -> None:
        """Say something to the person who asked alone; never raises."""
        try:
            await self.aside.tell(origin, message)
        except BotError as error:
            log.warning("cannot tell", error=str(error), sentence=message.text)

    def take(self, request: CompareRequest, origin: Origin) -> None:
        """Accept a comparison; raises `UserError` for who may not ask, and when too many are waiting."""
        self.check(origin)
        self.jobs.submit(request, origin)

    async def answer(self, asked: Asked, origin: Origin) -> Message | None:
        """Do what was asked for in words, or return what there is to say about it."""
        if isinstance(asked, CompareRequest):
            self.take(asked, origin)
            return None
        self.check(origin)
        if isinstance(asked, ListSources):
            return notices.source_list(await self.health(origin.channel))
        if isinstance(asked, History):
            return notices.history(await self._past(await self._ledger.recent(origin.channel, HISTORY)))
        return self.usage(origin)

    def usage(self, origin: Origin) -> Message:
        """Return how to use the bot in a channel."""
        return notices.usage(COMMAND, self.source_names(origin.channel), self.settings.reactions)

    async def compare_what(self, message: dict[str, Any], origin: Origin) -> None:
        """Compare what a message is about; raises `UserError` where it says nothing to go by."""
        self.take(request_about(read_alert(message, self.sources.hosts)), origin)

    async def open_form(self, trigger_id: str, origin: Origin) -> None:
        """Open the form for the person who asked."""
        await self.delivery.open_form(trigger_id, forms.form(origin, self.source_names(origin.channel)))

    async def health(self, channel: str) -> dict[str, str]:
        """Ask what a channel may have asked whether it is there; returns "ok" or what is wrong."""
        allowed = [*self.source_names(channel), *self._evidence.names(channel)]
        answers: dict[str, Any] = await self.sources.ping()
        answers |= await self._evidence.ping()
        return {
            name: str(answer) if isinstance(answer, SourceError) else answer
            for name, answer in answers.items()
            if name in allowed
        }

    async def past_of(self, user: str) -> list[notices.Past]:
        """Return what somebody asked for of late and everybody in its channel can see."""
        keys = await self.answering.results.of(user, HISTORY)
        entries = [entry for key in keys if (entry := await self._ledger.entry(key)) is not None and entry.root_ts]
        return [msgspec.structs.replace(past, user_name="") for past in await self._past(entries)]

    async def _past(self, entries: Iterable[Entry]) -> list[notices.Past]:
        past = []
        for entry in entries:
            try:
                payload = msgspec.json.decode(entry.payload, type=Payload)
            except msgspec.DecodeError:
                continue  # written by an earlier version
            baseline, suspect = payload.request.baseline, payload.request.suspect
            said = await self.answering.results.feedback(entry.key)
            result = await self.answering.results.load(entry.key)
            if isinstance(result, Result):
                suspect = result.suspect  # also where it was not named but found
            past.append(
                notices.Past(
                    baseline_id=baseline.trace_id if baseline else "", suspect_id=suspect.trace_id if suspect else "",
                    service=payload.request.clue.service if payload.request.clue else "",
                    windows=words(payload.request.windows) if payload.request.windows else "",
                    at=entry.accepted_at, user_name=payload.origin.user_name,
                    permalink=await self.delivery.permalink(entry.channel, entry.root_ts),
                    verdict=MARKS[result.verdict.kind][1] if result else "",
                    useful=said.useful, not_useful=said.not_useful,
                )
            )  # fmt: skip
        return past
