"""The slash command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from bot.commands import parse_command
from bot.errors import MY_FAULT, SourceError, UserError
from bot.request import CompareRequest, Help, ListSources, Origin
from bot.slack import notices

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncAck, AsyncApp

    from bot.slack.elements import Message
    from bot.slack.listeners.desk import Desk

COMMAND = "/compare-traces"

log = structlog.get_logger()


class Command:
    """`/compare-traces ...`"""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def register(self, app: AsyncApp) -> None:
        """Listen."""
        app.command(COMMAND)(self.on_command)

    async def on_command(self, ack: AsyncAck, command: dict[str, Any]) -> None:
        """Read what was typed and take it on."""
        origin = Origin(
            team=command.get("team_id") or "", channel=command["channel_id"], user=command["user_id"],
            user_name=command.get("user_name") or command["user_id"], response_url=command.get("response_url"),
        )  # fmt: skip
        try:
            self._desk.check(origin)
            asked = parse_command(command.get("text") or "", self._desk.sources.hosts)
            if isinstance(asked, CompareRequest):
                self._desk.jobs.submit(asked, origin)
        except UserError as error:
            await ack(**_ephemeral(notices.failure(str(error))))
            return
        if isinstance(asked, Help):
            names = [source.settings.name for source in self._desk.sources.allowed(origin.channel)]
            await ack(**_ephemeral(notices.usage(COMMAND, names)))
            return
        await ack()
        if isinstance(asked, ListSources):
            self._desk.jobs.start(self._list_sources(origin))

    async def _list_sources(self, origin: Origin) -> None:
        """Ask every source of the channel whether it is there, and tell the person who asked."""
        try:
            message = notices.source_list(await self._ping(origin.channel))
        except Exception:
            log.exception("cannot list the sources")
            message = notices.failure(MY_FAULT)
        await self._desk.tell(origin.response_url, message)

    async def _ping(self, channel: str) -> dict[str, str]:
        allowed = {source.settings.name for source in self._desk.sources.allowed(channel)}
        answers = await self._desk.sources.ping()
        return {
            name: str(answer) if isinstance(answer, SourceError) else answer
            for name, answer in answers.items()
            if name in allowed
        }


def _ephemeral(message: Message) -> dict[str, Any]:
    return {"response_type": "ephemeral", "text": message.text, "blocks": message.blocks}
