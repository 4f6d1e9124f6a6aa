"""The slash command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.errors import UserError
from bot.inquiry import audit
from bot.requests.commands import COMMAND, parse_command
from bot.requests.request import CompareRequest, Help, Nothing, Origin
from bot.slack import notices

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncAck, AsyncApp

    from bot.listeners.desk import Desk
    from bot.slack.elements import Message


class Command:
    """`/compare-traces ...`"""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def register(self, app: AsyncApp) -> None:
        """Listen."""
        app.command(COMMAND)(self.on_command)

    async def on_command(self, ack: AsyncAck, command: dict[str, Any]) -> None:
        """Read what was typed and take it on; without a word it opens the form."""
        origin = Origin(
            team=command.get("team_id") or "", channel=command["channel_id"], user=command["user_id"],
            user_name=command.get("user_name") or command["user_id"], response_url=command.get("response_url"),
        )  # fmt: skip
        try:
            self._desk.check(origin)
            asked = parse_command(command.get("text") or "", self._desk.sources.hosts)
            if isinstance(asked, CompareRequest):
                self._desk.take(asked, origin)
        except UserError as error:
            audit.ended(origin, "refused", error.code)
            await ack(**_ephemeral(notices.failure(str(error))))
            return
        if isinstance(asked, Help):
            await ack(**_ephemeral(self._desk.usage(origin)))
            return
        await ack()
        if isinstance(asked, Nothing):
            self._desk.work(origin, self._desk.open_form(command.get("trigger_id") or "", origin))
        elif not isinstance(asked, CompareRequest):
            self._desk.work(origin, self._desk.answer(asked, origin))


def _ephemeral(message: Message) -> dict[str, Any]:
    return {"response_type": "ephemeral", "text": message.text, "blocks": message.blocks}
