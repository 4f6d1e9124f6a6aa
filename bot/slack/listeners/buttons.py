"""The buttons under an answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from bot.errors import BotError, UserError
from bot.request import CompareRequest, Origin
from bot.slack import messages, notices

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncAck, AsyncApp

    from bot.slack.listeners.desk import Desk


class Buttons:
    """Swap, and those that only open a page."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def register(self, app: AsyncApp) -> None:
        """Listen."""
        app.action(messages.SWAP)(self.on_swap)
        app.action(re.compile(r"^open_"))(self.on_open)

    async def on_swap(self, ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        """The button that compares the same two traces the other way round."""
        await ack()
        message = body.get("message") or {}
        user = body["user"]
        origin = Origin(
            team=(body.get("team") or {}).get("id") or "", channel=body["channel"]["id"], user=user["id"],
            user_name=user.get("username") or user.get("name") or user["id"],
            thread_ts=message.get("thread_ts") or message.get("ts"),
            aside_ts=message.get("thread_ts"), response_url=body.get("response_url"),
        )  # fmt: skip
        try:
            request = msgspec.json.decode(action.get("value") or "", type=CompareRequest)
            self._desk.take(request, origin)
        except (UserError, msgspec.DecodeError) as error:
            sentence = str(error) if isinstance(error, BotError) else "That button is too old; please ask again."
            await self._desk.tell(origin, notices.failure(sentence))

    async def on_open(self, ack: AsyncAck) -> None:
        """A button that only opens a page."""
        await ack()
