"""The bot called by name in a message: works inside threads, where slash commands cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.alerts import read_alert
from bot.alerts.alert_request import request_about
from bot.errors import UserError
from bot.listeners.received import is_again, sent_at, team_of
from bot.requests.commands import parse_mention
from bot.requests.request import Nothing, Origin

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncApp
    from slack_bolt.request.async_request import AsyncBoltRequest

    from bot.listeners.desk import Desk
    from bot.slack.elements import Message


class Mention:
    """`@compare-traces ...`; the answer goes to the thread of the message."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def register(self, app: AsyncApp) -> None:
        """Listen."""
        app.event("app_mention")(self.on_mention)

    async def on_mention(self, event: dict[str, Any], body: dict[str, Any], request: AsyncBoltRequest) -> None:
        """Take on what was asked; Bolt has acknowledged the event already."""
        if not self._desk.is_new(body.get("event_id") or ""):
            return
        origin = Origin(
            team=team_of(body), channel=event["channel"], user=event.get("user") or "", user_name="",
            thread_ts=event.get("thread_ts") or event["ts"], aside_ts=event.get("thread_ts"),
            again=is_again(request),
        )  # fmt: skip
        self._desk.work(origin, self._answer(event, origin))

    async def _answer(self, event: dict[str, Any], origin: Origin) -> Message | None:
        asked = parse_mention(event.get("text") or "", self._desk.sources.hosts, sent_at(event))
        if not isinstance(asked, Nothing):
            return await self._desk.answer(asked, origin)
        self._desk.check(origin)
        thread_ts = event.get("thread_ts")
        about = await self._desk.delivery.message(origin.channel, thread_ts) if thread_ts else event
        if about is None:
            raise UserError("unseen-message")
        alert = read_alert(about, self._desk.sources.hosts)
        if alert is None and not thread_ts:
            return self._desk.usage(origin)
        self._desk.take(request_about(alert), origin)
        return None
