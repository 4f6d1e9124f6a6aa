"""What the bot listens to: one file per way in. Every listener acknowledges first and hands the work on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.listeners.buttons import Buttons
from bot.listeners.command import Command
from bot.listeners.desk import Desk
from bot.listeners.details import Details
from bot.listeners.feedback import Votes
from bot.listeners.form import Form
from bot.listeners.history import OlderHistory
from bot.listeners.home_tab import HomeTab
from bot.listeners.mention import Mention
from bot.listeners.pointing import Pointing
from bot.listeners.private import Private
from bot.listeners.report import FullReport
from bot.listeners.unforeseen import Unforeseen
from bot.listeners.uninstalled import Uninstalled
from bot.listeners.watch import Watch

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncApp

    from bot.evidence.sources import EvidenceSources
    from bot.job.answering import Answering
    from bot.job.comparing import Jobs
    from bot.settings import Settings
    from bot.slack.aside import Aside
    from bot.slack.installations import Installations
    from bot.slack.post import Delivery
    from bot.sources import Sources
    from bot.state.opening import State

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
