"""A Slack-like workspace on localhost: the part of Slack's Web API that the bot uses, and its signed requests.

It keeps messages as Slack does (root messages, threads, ephemeral ones, metadata), refuses what Slack refuses,
and sends what people type and click to the app, signed with the app's secret. One noun per file.
"""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from bot.playground.workspace.acting import Acting
from bot.playground.workspace.base import Arguments, Message, SlackError
from bot.playground.workspace.conversations import Conversations
from bot.playground.workspace.files import Files
from bot.playground.workspace.people import BOT_ID, BOT_USER, TEAM, USER, USER_NAME, People
from bot.playground.workspace.views import Views

__all__ = ["BOT_ID", "BOT_USER", "TEAM", "USER", "USER_NAME", "Message", "SlackError", "Workspace"]


class Workspace(Acting, Files, Conversations, Views, People):
    """Channels, messages, and the app they talk to."""

    def __init__(self, signing_secret: str, channels: dict[str, str]) -> None:
        super().__init__(signing_secret, channels)
        self.calls: list[tuple[str, Arguments]] = []

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the Web API and of response URLs."""
        return [
            web.route("*", "/api/{method}", self._api), web.post("/response/{channel}/{token}", self._response),
            *self.uploads.routes(),
        ]  # fmt: skip

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        arguments = await _arguments(request)
        self.calls.append((method, arguments))
        return await self.answer(method, arguments)

    async def answer(self, method: str, arguments: Arguments) -> web.StreamResponse:
        """Answer one call as Slack would."""
        handler = getattr(self, "do_" + method.replace(".", "_"), None)
        if handler is None:
            return web.json_response({"ok": False, "error": "unknown_method"})
        try:
            return web.json_response({"ok": True, **handler(arguments)})
        except SlackError as error:
            return web.json_response({"ok": False, "error": str(error)})

    async def _response(self, request: web.Request) -> web.StreamResponse:
        channel = request.match_info["channel"]
        if channel not in self.channels:
            return web.Response(status=404, text="expired_url")
        try:
            self.show_ephemeral(channel, await request.json())
        except SlackError as error:
            return web.Response(status=400, text=str(error))
        return web.Response(text="ok")

    def state(self) -> dict[str, Any]:
        """Return all that the page draws."""
        return {
            "team": "playground",
            "channels": [{"id": channel, "name": name} for channel, name in self.channels.items()],
            "messages": self.messages,
        }

    async def aclose(self) -> None:
        """Close connections."""
        await self.app.aclose()


async def _arguments(request: web.Request) -> Arguments:
    """Read a call's arguments from JSON or a form, in which structures are JSON again."""
    if request.content_type == "application/json":
        data = await request.json()
        return data if isinstance(data, dict) else {}
    arguments: Arguments = {}
    for name, value in (*request.query.items(), *(await request.post()).items()):
        arguments[name] = value
        if isinstance(value, str) and value[:1] in "[{":
            try:
                arguments[name] = json.loads(value)
            except ValueError:
                arguments[name] = value
    return arguments
