"""The buttons of a private answer: show it to everybody, or let it go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.listeners.clicked import clicked
from bot.slack.messages.private import DISMISS, POST

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncAck, AsyncApp

    from bot.listeners.desk import Desk
    from bot.requests.request import Origin


class Private:
    """Private answers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def register(self, app: AsyncApp) -> None:
        """Listen."""
        app.action(POST)(self.on_post)
        app.action(DISMISS)(self.on_dismiss)

    async def on_post(self, ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        """The others shall see it too."""
        await ack()
        origin = clicked(body)
        self._desk.work(origin, self._post(origin, action.get("value") or ""))

    async def _post(self, origin: Origin, key: str) -> None:
        """Post it; only then the private one goes."""
        self._desk.check(origin)
        await self._desk.answering.open_up(key, origin.channel)
        await self._desk.aside.take_away(origin.response_url)

    async def on_dismiss(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """It was read, or is of no use."""
        await ack()
        origin = clicked(body)
        self._desk.work(origin, self._desk.aside.take_away(origin.response_url))
