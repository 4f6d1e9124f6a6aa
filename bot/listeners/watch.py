"""Alerts in watched channels: answered in their threads, without anybody having asked.

    bot posts an alert -> is it one, and firing? -> the ledger: answered already? -> compared -> reply in its thread

Nobody waits for these answers, so whatever goes wrong goes to the log: an alert channel hears an answer or nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.alerts import is_alert, read_alert
from bot.alerts.alert_request import request_about
from bot.listeners.received import team_of
from bot.requests.request import Origin

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncApp
    from slack_bolt.context.async_context import AsyncBoltContext

    from bot.listeners.desk import Desk


class Watch:
    """Reads the messages of watched channels, those of other apps alone."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def register(self, app: AsyncApp) -> None:
        """Listen to every message; Slack sends them only where the manifest asks for them."""
        app.event("message")(self.on_message)

    async def on_message(self, event: dict[str, Any], body: dict[str, Any], context: AsyncBoltContext) -> None:
        """Take on an alert; an edited message counts as it reads now."""
        channel = event.get("channel") or ""
        if channel not in self._desk.settings.watched_channels or not self._desk.is_new(body.get("event_id") or ""):
            return
        message = event.get("message") if event.get("subtype") == "message_changed" else event
        ours = {own for own in (context.bot_id, context.bot_user_id, body.get("api_app_id")) if own}
        if not isinstance(message, dict) or not _is_root(message) or not is_alert(message, ours):
            return
        origin = Origin(
            team=team_of(body), channel=channel, user="", user_name="", thread_ts=message["ts"],
            watched=True,
        )  # fmt: skip
        self._desk.work(origin, self._compare(message, origin))

    async def _compare(self, message: dict[str, Any], origin: Origin) -> None:
        alert = read_alert(message, self._desk.sources.hosts)
        if alert is not None and alert.state != "resolved":
            self._desk.take(request_about(alert), origin)


def _is_root(message: dict[str, Any]) -> bool:
    """Tell whether a message is no reply: what programs write in threads belongs to an alert that was read already."""
    ts = message.get("ts")
    return isinstance(ts, str) and message.get("thread_ts") in (None, ts)
