"""Workspaces that take the bot's rights back: its token goes at once, and with the app all that is kept of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from bot.state.forgetting import Selection, counted

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncApp

    from bot.listeners.desk import Desk


log = structlog.get_logger()


class Uninstalled:
    """Forgets workspaces. A token of our own for a single one is not ours to delete."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def register(self, app: AsyncApp) -> None:
        """Listen."""
        app.event("app_uninstalled")(self.on_uninstalled)
        app.event("tokens_revoked")(self.on_revoked)

    async def on_uninstalled(self, body: dict[str, Any]) -> None:
        """The app was removed from a workspace."""
        team = body.get("team_id") or ""
        self._forget(team)
        if team:
            self._desk.jobs.start(self._forget_answers(team))

    async def on_revoked(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        """Tokens were taken back; only that of the bot is kept here. It may be about to get another one."""
        if (event.get("tokens") or {}).get("bot"):
            self._forget(body.get("team_id") or "")

    def _forget(self, team: str) -> None:
        """Delete what is kept of a workspace; the process does not end before that is done."""
        if self._desk.installations is not None:
            self._desk.jobs.start(self._desk.installations.forget(team))

    async def _forget_answers(self, team: str) -> None:
        """Delete requests, results, votes and what is remembered of a workspace; never raises."""
        try:
            gone = await self._desk.state.forget(Selection(team=team))
        except Exception:
            log.exception("cannot forget a workspace", team=team)
        else:
            log.info("forgot a workspace", team=team, forgotten=counted(gone))
