"""What the bot listens to. Every listener acknowledges first and hands the work on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse

from bot.commands import parse_command
from bot.errors import MY_FAULT, BotError, SourceError, UserError
from bot.request import CompareRequest, Help, ListSources, Origin
from bot.slack import blocks

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncAck, AsyncApp

    from bot.comparing import Jobs
    from bot.settings import Settings
    from bot.slack.elements import Message
    from bot.slack.respond import Responder
    from bot.sources import Sources

COMMAND = "/compare-traces"

log = structlog.get_logger()


class Listeners:
    """The bot's ears."""

    def __init__(self, settings: Settings, sources: Sources, jobs: Jobs, responder: Responder) -> None:
        self._settings = settings
        self._sources = sources
        self._jobs = jobs
        self._responder = responder

    def register(self, app: AsyncApp) -> None:
        """Register every listener; `manifest.json` declares the same ones."""
        app.command(COMMAND)(self.on_command)
        app.action(blocks.SWAP)(self.on_swap)
        app.action(re.compile(r"^open_"))(self.on_open)
        app.error(self.on_error)

    async def on_command(self, ack: AsyncAck, command: dict[str, Any]) -> None:
        """`/compare-traces ...`"""
        origin = Origin(
            team=command.get("team_id") or "", channel=command["channel_id"], user=command["user_id"],
            user_name=command.get("user_name") or command["user_id"], response_url=command.get("response_url"),
        )  # fmt: skip
        try:
            self._check(origin)
            asked = parse_command(command.get("text") or "", self._sources.hosts)
            if isinstance(asked, CompareRequest):
                self._jobs.submit(asked, origin)
        except UserError as error:
            await ack(**_ephemeral(blocks.failure(str(error))))
            return
        if isinstance(asked, Help):
            names = [source.settings.name for source in self._sources.allowed(origin.channel)]
            await ack(**_ephemeral(blocks.usage(COMMAND, names)))
            return
        await ack()
        if isinstance(asked, ListSources):
            self._jobs.start(self._list_sources(origin))

    async def _list_sources(self, origin: Origin) -> None:
        """Ask every source of the channel whether it is there, and tell the person who asked."""
        try:
            message = blocks.source_list(await self._ping(origin.channel))
        except Exception:
            log.exception("cannot list the sources")
            message = blocks.failure(MY_FAULT)
        await self._tell(origin.response_url, message)

    async def _tell(self, response_url: str | None, message: Message) -> None:
        if response_url is None or not await self._responder.respond(response_url, message):
            log.warning("cannot tell", sentence=message.text)

    async def _ping(self, channel: str) -> dict[str, str]:
        allowed = {source.settings.name for source in self._sources.allowed(channel)}
        answers = await self._sources.ping()
        return {
            name: str(answer) if isinstance(answer, SourceError) else answer
            for name, answer in answers.items()
            if name in allowed
        }

    async def on_swap(self, ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        """The button that compares the same two traces the other way round."""
        await ack()
        message = body.get("message") or {}
        user = body["user"]
        origin = Origin(
            team=(body.get("team") or {}).get("id") or "", channel=body["channel"]["id"], user=user["id"],
            user_name=user.get("username") or user.get("name") or user["id"],
            thread_ts=message.get("thread_ts") or message.get("ts"), response_url=body.get("response_url"),
        )  # fmt: skip
        try:
            self._check(origin)
            request = msgspec.json.decode(action.get("value") or "", type=CompareRequest)
            self._jobs.submit(request, origin)
        except (UserError, msgspec.DecodeError) as error:
            sentence = str(error) if isinstance(error, BotError) else "That button is too old; please ask again."
            await self._tell(origin.response_url, blocks.failure(sentence))

    async def on_open(self, ack: AsyncAck) -> None:
        """A button that only opens a page."""
        await ack()

    async def on_error(
        self, error: Exception, body: dict[str, Any], response: BoltResponse | None
    ) -> BoltResponse | None:
        """Whatever a listener did not foresee: written to the log, and told to the person who waits.

        `response` is None when Slack has its acknowledgement already; then there is nothing to return.
        """
        kind = body.get("command") or body.get("type")
        if isinstance(error, BoltUnhandledRequestError):
            log.warning("nobody listens to this", request=kind)
            return BoltResponse(status=404, body="unhandled request")
        log.error("listener failed", request=kind, exc_info=error)
        await self._tell(body.get("response_url"), blocks.failure(MY_FAULT))
        return None if response is None else BoltResponse(status=200)

    def _check(self, origin: Origin) -> None:
        """Refuse channels and people that are not allowed."""
        settings = self._settings
        if settings.allowed_channels and origin.channel not in settings.allowed_channels:
            raise UserError("channel-refused")
        if settings.allowed_users and origin.user not in settings.allowed_users:
            raise UserError("user-refused")


def _ephemeral(message: Message) -> dict[str, Any]:
    return {"response_type": "ephemeral", "text": message.text, "blocks": message.blocks}
