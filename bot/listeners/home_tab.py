"""The Home tab of the app: shown when somebody opens it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog

from bot.errors import BotError, UserError
from bot.requests.request import Origin
from bot.slack.home import home, refused
from bot.slack.workspaces import acting_in

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncApp

    from bot.listeners.desk import Desk

EVENT = "app_home_opened"
FRESH_S = 30.0  # the sources are not asked again sooner

log = structlog.get_logger()


class HomeTab:
    """Everybody's own page."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._health: dict[str, str] | None = None
        self._asked_at = 0.0

    def register(self, app: AsyncApp) -> None:
        """Listen."""
        app.event(EVENT)(self.on_open)

    async def on_open(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        """Somebody opened the app, on the Home tab or elsewhere."""
        if event.get("tab") == "home" and self._desk.is_new(body.get("event_id") or ""):
            self._desk.jobs.start(self._show(event["user"], body.get("team_id") or ""))

    async def _show(self, user: str, team: str) -> None:
        """Show the tab at once, and again when the sources have said how they are; never raises."""
        acting_in(team)
        try:
            await self._publish(user, team)
        except BotError as error:
            log.warning("no home tab", error=str(error))
        except Exception:
            log.exception("no home tab")

    async def _publish(self, user: str, team: str) -> None:
        desk = self._desk
        # A channel's own sources and tenants are shown in that channel alone: here are those of every other channel.
        anywhere = Origin(team=team, channel="", user=user, user_name="")
        if desk.settings.allowed_users and user not in desk.settings.allowed_users:
            await desk.delivery.publish_home(user, refused(str(UserError("user-refused"))))
            return
        past, totals = await desk.past.of(user), await desk.answering.results.totals()
        clock = asyncio.get_running_loop().time
        if self._health is None or clock() - self._asked_at > FRESH_S:
            await desk.delivery.publish_home(user, home(desk.usage(anywhere), None, past, totals))
            self._health, self._asked_at = await desk.health(""), clock()
        await desk.delivery.publish_home(user, home(desk.usage(anywhere), self._health, past, totals))
