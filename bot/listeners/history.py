"""The button under a page of the history that turns to older ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from bot.errors import UserError
from bot.listeners.clicked import clicked
from bot.requests.request import History
from bot.slack.notices import OLDER

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncAck, AsyncApp

    from bot.listeners.desk import Desk
    from bot.requests.request import Origin
    from bot.slack.elements import Message


class OlderHistory:
    """Turns the pages of what was compared in a channel."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def register(self, app: AsyncApp) -> None:
        """Listen."""
        app.action(OLDER)(self.on_older)

    async def on_older(self, ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        """Somebody looks further back."""
        await ack()
        origin = clicked(body)
        self._desk.work(origin, self._turn(origin, action.get("value") or ""))

    async def _turn(self, origin: Origin, value: str) -> Message | None:
        try:
            wanted = msgspec.json.decode(value, type=History)
        except msgspec.DecodeError:
            raise UserError("old-button") from None
        return await self._desk.answer(wanted, origin)
