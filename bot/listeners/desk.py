"""The desk behind every way in: who may ask, where a request goes, how the person who asked is told something."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import structlog

from bot.alerts import read_alert
from bot.alerts.alert_request import request_about
from bot.errors import MY_FAULT, BotError, SourceError, UserError
from bot.inquiry import audit
from bot.requests.commands import COMMAND
from bot.requests.request import CompareRequest, History, ListSources
from bot.slack import forms, notices
from bot.slack.past import PastAnswers
from bot.slack.workspaces import acting_in

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from bot.evidence.sources import EvidenceSources
    from bot.job.answering import Answering
    from bot.job.comparing import Jobs
    from bot.requests.request import Asked, Origin
    from bot.settings import Settings
    from bot.slack.aside import Aside
    from bot.slack.elements import Message
    from bot.slack.installations import Installations
    from bot.slack.post import Delivery
    from bot.sources import Sources
    from bot.state.opening import State

AGAIN_S = 3600.0  # Slack sends an event that it thinks lost again for some minutes
MOST_EVENTS = 10_000

log = structlog.get_logger()


class Desk:
    """What the listeners share."""

    def __init__(
        self, settings: Settings, sources: Sources, evidence: EvidenceSources, jobs: Jobs, state: State,
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
        self.state = state
        self.past = PastAnswers(state.ledger, state.memory, state.results, delivery)
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
            page = await self.past.search(origin.team, origin.channel, asked)
            return notices.history(page.past, asked, more=page.more)
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
