"""The details of an answer: opened by a button under it, read page by page."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import msgspec

from bot.errors import BotError, UserError
from bot.inquiry.result import Result
from bot.listeners.clicked import clicked
from bot.slack.messages import details

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncAck, AsyncApp

    from bot.listeners.desk import Desk
    from bot.requests.request import Origin


class Details:
    """Opens the modal and turns its pages."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def register(self, app: AsyncApp) -> None:
        """Listen."""
        app.action(details.DETAILS)(self.on_open)
        app.action(re.compile(f"^{details.PAGE}_"))(self.on_turn)

    async def on_open(self, ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        """The button under an answer."""
        await ack()
        origin = clicked(body)
        self._desk.work(origin, self._open(origin, action.get("value") or "", body.get("trigger_id") or ""))

    async def _open(self, origin: Origin, value: str, trigger_id: str) -> None:
        self._desk.check(origin)
        view = await self._page(value, origin.channel)
        await self._desk.delivery.open_form(trigger_id, view)

    async def on_turn(self, ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        """The buttons under a page."""
        await ack()
        self._desk.work(clicked(body), self._turn(body["view"], action.get("value") or ""))

    async def _turn(self, open_view: dict[str, Any], value: str) -> None:
        try:
            view = await self._page(value, open_view.get("private_metadata") or "")
        except BotError as error:
            view = details.gone(str(error))  # there is no channel to say it in, but a modal
        await self._desk.delivery.change_view(open_view["id"], open_view.get("hash") or "", view)

    async def _page(self, value: str, channel: str) -> dict[str, Any]:
        """Return the page that a button stands for; the modal remembers the channel that it was opened in."""
        try:
            place = details.read_place(value)
        except msgspec.DecodeError:
            raise UserError("old-button") from None
        result, asked = await self._desk.answering.recall(place.key, channel)
        if not isinstance(result, Result):
            raise UserError("old-button")
        # In a thread: where every text is as long and as odd as can be, it takes tens of milliseconds.
        view = await asyncio.to_thread(details.view, place.key, result.answer, asked, place.page)
        return view | {"private_metadata": channel}
