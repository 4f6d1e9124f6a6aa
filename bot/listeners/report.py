"""The full report of an answer, on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.listeners.clicked import clicked
from bot.slack.messages.foot import REPORT

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncAck, AsyncApp

    from bot.listeners.desk import Desk
    from bot.requests.request import Origin
    from bot.slack.elements import Message


class FullReport:
    """The button under an answer that puts its full report into the thread."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def register(self, app: AsyncApp) -> None:
        """Listen."""
        app.action(REPORT)(self.on_report)

    async def on_report(self, ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        """Somebody wants to read it all, or to keep it."""
        await ack()
        origin = clicked(body)
        self._desk.work(origin, self._hand_out(origin, action.get("value") or ""))

    async def _hand_out(self, origin: Origin, key: str) -> Message | None:
        self._desk.check(origin)
        return await self._desk.answering.hand_out(key, origin)
