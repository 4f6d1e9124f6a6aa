"""Workspaces that take the bot's rights back: its token is deleted at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncApp

    from bot.slack.listeners.desk import Desk


class Uninstalled:
    """Forgets workspaces; with a token of our own for a single one there is nothing to forget."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def register(self, app: AsyncApp) -> None:
        """Listen."""
        app.event("app_uninstalled")(self.on_uninstalled)
        app.event("tokens_revoked")(self.on_revoked)

    async def on_uninstalled(self, body: dict[str, Any]) -> None:
        """The app was removed from a workspace."""
        self._forget(body.get("team_id") or "")

    async def on_revoked(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        """Tokens were taken back; only that of the bot is kept here."""
        if (event.get("tokens") or {}).get("bot"):
            self._forget(body.get("team_id") or "")

    def _forget(self, team: str) -> None:
        """Delete what is kept of a workspace; the process does not end before that is done."""
        if self._desk.installations is not None:
            self._desk.jobs.start(self._desk.installations.forget(team))
