"""Messages that somebody points at: with the shortcut in a message's menu, or with a reaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from bot.errors import UserError
from bot.listeners.received import is_again, team_of
from bot.requests.request import Origin, thread_of

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncAck, AsyncApp
    from slack_bolt.request.async_request import AsyncBoltRequest

    from bot.listeners.desk import Desk

SHORTCUT = "compare_traces_message"


class Pointing:
    """Compares the traces that a message is about; the answer goes to its thread."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def register(self, app: AsyncApp) -> None:
        """Listen."""
        app.message_shortcut(SHORTCUT)(self.on_shortcut)
        app.event("reaction_added")(self.on_reaction)

    async def on_shortcut(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """The shortcut brings the message along."""
        await ack()
        message, user = body.get("message") or {}, body["user"]
        origin = Origin(
            team=(body.get("team") or {}).get("id") or "", channel=body["channel"]["id"], user=user["id"],
            user_name=user.get("username") or user.get("name") or user["id"],
            thread_ts=message.get("thread_ts") or body.get("message_ts") or message.get("ts"),
            aside_ts=thread_of(message), response_url=body.get("response_url"),
        )  # fmt: skip
        self._desk.work(origin, self._desk.compare_what(message, origin))

    async def on_reaction(self, event: dict[str, Any], body: dict[str, Any], request: AsyncBoltRequest) -> None:
        """A reaction says no more than where the message is."""
        item = event.get("item") or {}
        name = str(event.get("reaction") or "").partition("::")[0]  # what follows is a skin tone
        if item.get("type") != "message" or name not in self._desk.settings.reactions:
            return
        allowed = self._desk.settings.allowed_channels
        if allowed and item["channel"] not in allowed:
            return  # an emoji is not always meant for us: where we may not answer we say nothing
        if not self._desk.is_new(body.get("event_id") or ""):
            return
        origin = Origin(
            team=team_of(body), channel=item["channel"], user=event.get("user") or "", user_name="",
            thread_ts=item["ts"], again=is_again(request),
        )  # fmt: skip
        self._desk.work(origin, self._read(item["ts"], origin))

    async def _read(self, ts: str, origin: Origin) -> None:
        """Read the message; if it is a reply, everything that follows belongs in its thread."""
        self._desk.check(origin)
        message = await self._desk.delivery.message(origin.channel, ts)
        if message is None:
            raise UserError("unseen-message")
        thread_ts = message.get("thread_ts") or ts
        origin = msgspec.structs.replace(origin, thread_ts=thread_ts, aside_ts=thread_of(message))
        await self._desk.see_through(origin, self._desk.compare_what(message, origin))
