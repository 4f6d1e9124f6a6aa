"""What the bot listens to: one file per way in. Every listener acknowledges first and hands the work on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.slack.listeners.buttons import Buttons
from bot.slack.listeners.command import COMMAND, Command
from bot.slack.listeners.desk import Desk
from bot.slack.listeners.unforeseen import Unforeseen

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncApp

    from bot.comparing import Jobs
    from bot.settings import Settings
    from bot.slack.respond import Responder
    from bot.sources import Sources

__all__ = ["COMMAND", "Listeners"]

WAYS_IN = (Command, Buttons, Unforeseen)


class Listeners:
    """The bot's ears."""

    def __init__(self, settings: Settings, sources: Sources, jobs: Jobs, responder: Responder) -> None:
        self._desk = Desk(settings, sources, jobs, responder)

    def register(self, app: AsyncApp) -> None:
        """Register every listener; `manifest.json` declares the same ones."""
        for way_in in WAYS_IN:
            way_in(self._desk).register(app)
