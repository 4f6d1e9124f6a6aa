"""The desk behind every way in: who may ask, where a request goes, how the person who asked is told something."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.errors import UserError

if TYPE_CHECKING:
    from bot.comparing import Jobs
    from bot.request import Origin
    from bot.settings import Settings
    from bot.slack.elements import Message
    from bot.slack.respond import Responder
    from bot.sources import Sources

log = structlog.get_logger()


class Desk:
    """What the listeners share."""

    def __init__(self, settings: Settings, sources: Sources, jobs: Jobs, responder: Responder) -> None:
        self.settings = settings
        self.sources = sources
        self.jobs = jobs
        self.responder = responder

    def check(self, origin: Origin) -> None:
        """Refuse channels and people that are not allowed."""
        settings = self.settings
        if settings.allowed_channels and origin.channel not in settings.allowed_channels:
            raise UserError("channel-refused")
        if settings.allowed_users and origin.user not in settings.allowed_users:
            raise UserError("user-refused")

    async def tell(self, response_url: str | None, message: Message) -> None:
        """Say something to the person who asked alone."""
        if response_url is None or not await self.responder.respond(response_url, message):
            log.warning("cannot tell", sentence=message.text)
