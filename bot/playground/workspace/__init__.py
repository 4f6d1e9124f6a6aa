"""A Slack-like workspace on localhost: the part of Slack's Web API that the bot uses, and its signed requests.

It keeps messages as Slack does (root messages, threads, ephemeral ones, metadata), refuses what Slack refuses,
and sends what people type and click to the app, signed with the app's secret. One noun per file.
"""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from bot.playground.workspace.app import App
from bot.playground.workspace.base import Arguments, Message, SlackError
from bot.playground.workspace.directory import Directory
from bot.playground.workspace.files import Files
from bot.playground.workspace.filling import Filling
from bot.playground.workspace.people import APP_NAME, BOT_ID, BOT_USER, NAMES, TEAM, USER, USER_NAME

__all__ = ["APP_NAME", "BOT_ID", "BOT_USER", "TEAM", "USER", "USER_NAME", "Message", "SlackError", "Workspace"]


class Workspace(Filling, Files, Directory):
    """Channels, messages, and the app they talk to."""

    def __init__(self, signing_secret: str, channels: dict[str, str], manifest: dict[str, Any] | None = None) -> None:
        """Install the app that has this secret; `manifest` as it stands in Slack's app settings."""
        super().__init__(App(signing_secret, manifest), channels)
        self.calls: list[tuple[str, Arguments]] = []

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the Web API, of response addresses and of files."""
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
        headers = {"X-OAuth-Scopes": ",".join(self.app.scopes)} if self.app.scopes else {}
        handler = getattr(self, "do_" + method.replace(".", "_"), None)
        if handler is None:
            return web.json_response({"ok": False, "error": "unknown_method"}, headers=headers)
        needed = self.app.lacks(method)
        if needed:
            refusal = {"ok": False, "error": "missing_scope", "needed": needed, "provided": headers["X-OAuth-Scopes"]}
            return web.json_response(refusal, headers=headers)
        try:
            return web.json_response({"ok": True, **handler(arguments)}, headers=headers)
        except SlackError as error:
            return web.json_response({"ok": False, "error": str(error)}, headers=headers)

    def state(self) -> dict[str, Any]:
        """Return all that the page draws."""
        return {
            "team": "playground", "me": USER, "app": BOT_USER, "people": NAMES,
            "channels": [
                {"id": channel, "name": name, "invited": channel not in self.absent}
                for channel, name in self.channels.items()
            ],
            "messages": self.messages, "view": self.views[-1] if self.views else None, "home": self.home,
            "commands": self.app.commands, "shortcuts": self.app.shortcuts, "has_home": self.app.has_home,
        }  # fmt: skip

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
