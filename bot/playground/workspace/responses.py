"""Response addresses: where the app answers one command, click or shortcut, also in channels it is no member of."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from aiohttp import web
from msgspec import Struct

from bot.playground.workspace.base import Arguments, Message, SlackError
from bot.playground.workspace.messages import Messages

if TYPE_CHECKING:
    from bot.playground.workspace.app import App

MOST_USES = 5
LIFE_S = 30 * 60


class Address(Struct, kw_only=True):
    """One address, and the message whose button gave it."""

    channel: str
    original: Message | None
    made_at: float
    uses: int = 0


class Responses(Messages):
    """What is posted to response addresses."""

    def __init__(self, app: App, channels: dict[str, str]) -> None:
        super().__init__(app, channels)
        self._addresses: dict[str, Address] = {}

    def response_url(self, channel: str, original: Message | None = None) -> str:
        """Give out an address; what comes there may replace or delete the `original` message."""
        token = uuid.uuid4().hex
        self._addresses[token] = Address(channel=channel, original=original, made_at=time.monotonic())
        return f"{self.base_url}/response/{channel}/{token}"

    async def _response(self, request: web.Request) -> web.Response:
        address = self._address(request.match_info["channel"], request.match_info["token"])
        if address is None or time.monotonic() - address.made_at > LIFE_S:
            return web.Response(status=404, text="expired_url")
        if address.uses >= MOST_USES:
            return web.Response(status=404, text="used_url")
        try:
            self._respond(address.channel, await request.json(), address.original)
        except SlackError as error:
            return web.Response(status=400, text=str(error))
        address.uses += 1
        return web.Response(text="ok")

    def _address(self, channel: str, token: str) -> Address | None:
        address = self._addresses.get(token)
        return address if address and address.channel == channel else None

    def _respond(self, channel: str, answer: Arguments, original: Message | None = None) -> None:
        """Do what an answer says: for one person unless it says `in_channel`."""
        there = original is not None and original in self.messages[channel]
        if original is not None and there and answer.get("delete_original"):
            self._remove(channel, original)
        elif original is not None and there and answer.get("replace_original"):
            self._replace(channel, original, answer)
        elif answer.get("response_type") == "in_channel":
            self._put(channel, self._message(channel, answer) | self._in_thread(channel, answer))
        else:
            self.show_ephemeral(channel, answer)
