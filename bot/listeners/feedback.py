"""Was an answer useful? One voice for each person; the buttons show how many said what."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from bot.errors import UserError
from bot.listeners.clicked import clicked
from bot.slack.messages.foot import NOT_USEFUL, USEFUL, with_counts

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncAck, AsyncApp

    from bot.listeners.desk import Desk
    from bot.requests.request import Origin

KEY = re.compile(r"[0-9a-f]{32}")


class Votes:
    """The buttons under an answer that ask what people think of it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._one_at_a_time = asyncio.Lock()  # the count that is shown last is the newest one

    def register(self, app: AsyncApp) -> None:
        """Listen."""
        app.action(USEFUL)(self.on_vote)
        app.action(NOT_USEFUL)(self.on_vote)

    async def on_vote(self, ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        """Somebody says what they think."""
        await ack()
        origin = clicked(body)
        self._desk.work(origin, self._count(origin, body.get("message") or {}, action))

    async def _count(self, origin: Origin, message: dict[str, Any], action: dict[str, Any]) -> None:
        """Write it down, and show the new count where everybody sees it; quietly, nobody is thanked."""
        self._desk.check(origin)
        key = action.get("value") or ""
        if not KEY.fullmatch(key):
            raise UserError("old-button")
        async with self._one_at_a_time:
            feedback = await self._desk.answering.results.rate(
                key, origin.user, useful=action.get("action_id") == USEFUL
            )
            if message.get("blocks"):
                blocks = with_counts(message["blocks"], feedback)
                await self._desk.delivery.relabel(origin.channel, message["ts"], message.get("text") or "", blocks)
