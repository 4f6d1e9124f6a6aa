"""What the bot listens to: one file per way in. Every listener acknowledges first and hands the work on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.slack.listeners.buttons import Buttons
from bot.slack.listeners.command import Command
from bot.slack.listeners.desk import Desk
from bot.slack.listeners.details import Details
from bot.slack.listeners.feedback import Votes
from bot.slack.listeners.form import Form
from bot.slack.listeners.history import OlderHistory
from bot.slack.listeners.home_tab import HomeTab
from bot.slack.listeners.mention import Mention
from bot.slack.listeners.pointing import Pointing
from bot.slack.listeners.private import Private
from bot.slack.listeners.report import FullReport
from bot.slack.listeners.unforeseen import Unforeseen
from bot.slack.listeners.uninstalled import Uninstalled
from bot.slack.listeners.watch import Watch

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncApp

    from bot.answering import Answering
    from bot.comparing import Jobs
    from bot.evidence.sources import EvidenceSources
    from bot.settings import Settings
    from bot.slack.aside import Aside
    from bot.slack.installations import Installations
    from bot.slack.post import Delivery
    from bot.sources import Sources
    from bot.state import State

__all__ = ["Listeners"]

WAYS_IN = (
    Command, Form, Mention, Pointing, Watch, Buttons, Details, Votes, FullReport, Private, OlderHistory, HomeTab,
    Uninstalled, Unforeseen,
)  # fmt: skip


class Listeners:
    """The bot's ears."""

    def __init__(
        self, settings: Settings, sources: Sources, evidence: EvidenceSources, jobs: Jobs, state: State,
        delivery: Delivery, aside: Aside, answering: Answering, installations: Installations | None = None,
    ) -> None:  # fmt: skip
        self._desk = Desk(settings, sources, evidence, jobs, state, delivery, aside, answering, installations)

    def register(self, app: AsyncApp) -> None:
        """Register every listener; `manifest.json` declares the same ones."""
        for way_in in WAYS_IN:
            way_in(self._desk).register(app)
