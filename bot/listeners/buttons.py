"""The buttons under an answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from bot.errors import UserError
from bot.listeners.clicked import clicked
from bot.requests.request import CompareRequest
from bot.slack import messages

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncAck, AsyncApp

    from bot.listeners.desk import Desk
    from bot.requests.request import Origin


class Buttons:
    """Those that ask for another comparison, and those that only open a page."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def register(self, app: AsyncApp) -> None:
        """Listen."""
        app.action(messages.SWAP)(self.on_compare)
        app.action(messages.TYPICAL)(self.on_compare)
        app.action(messages.windows.PAIR)(self.on_compare)
        app.action(re.compile(r"^open_"))(self.on_open)

    async def on_compare(self, ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        """A button that carries a request: the traces exchanged, B with the typical one, one of each window."""
        await ack()
        origin = clicked(body)
        self._desk.work(origin, self._compare(origin, action.get("value") or ""))

    async def _compare(self, origin: Origin, value: str) -> None:
        try:
            request = msgspec.json.decode(value, type=CompareRequest)
        except msgspec.DecodeError:
            raise UserError("old-button") from None
        self._desk.take(request, origin)

    async def on_open(self, ack: AsyncAck) -> None:
        """A button that only opens a page."""
        await ack()
