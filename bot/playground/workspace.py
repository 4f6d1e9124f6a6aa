"""A Slack-like workspace on localhost: the part of Slack's Web API that the bot uses, and its signed requests.

It keeps messages as Slack does (root messages, threads, ephemeral ones, metadata), refuses what Slack refuses,
and sends what people type and click to the app, signed with the app's secret.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections import defaultdict
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from bot.playground.uploads import UploadError, Uploads
from bot.slack.limits import problems

TEAM = "T0PLAYGRND"
BOT_USER = "U0BOT"
BOT_ID = "B0BOT"
USER = "U0ALICE"
USER_NAME = "alice"
PAGE_LIMIT = 100
Message = dict[str, Any]


class SlackError(Exception):
    """An error that Slack would answer."""


class Workspace:
    """Channels, messages, and the app they talk to."""

    def __init__(self, signing_secret: str, channels: dict[str, str]) -> None:
        self.channels = channels  # id -> name
        self.messages: dict[str, list[Message]] = {channel: [] for channel in channels}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.views: list[dict[str, Any]] = []  # modals that are open, the newest last
        self.uploads = Uploads()
        self.app_url = ""
        self.base_url = ""
        self._signer = SignatureVerifier(signing_secret)
        self._last_ts: dict[str, float] = defaultdict(float)
        self._watchers: set[asyncio.Event] = set()
        self._session: aiohttp.ClientSession | None = None

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the Web API and of response URLs."""
        return [
            web.route("*", "/api/{method}", self._api), web.post("/response/{channel}/{token}", self._response),
            *self.uploads.routes(),
        ]  # fmt: skip

    # The Web API ---------------------------------------------------------------------------------

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        arguments = await _arguments(request)
        self.calls.append((method, arguments))
        return await self.answer(method, arguments)

    async def answer(self, method: str, arguments: dict[str, Any]) -> web.StreamResponse:
        """Answer one call as Slack would."""
        handler = getattr(self, "do_" + method.replace(".", "_"), None)
        if handler is None:
            return web.json_response({"ok": False, "error": "unknown_method"})
        try:
            return web.json_response({"ok": True, **handler(arguments)})
        except (SlackError, UploadError) as error:
            return web.json_response({"ok": False, "error": str(error)})

    def do_auth_test(self, _: dict[str, Any]) -> dict[str, Any]:
        """auth.test"""
        return {
            "url": "http://localhost/", "team": "playground", "user": "compare-traces", "team_id": TEAM,
            "user_id": BOT_USER, "bot_id": BOT_ID,
        }  # fmt: skip

    def do_chat_postMessage(self, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - named after Slack's method
        """chat.postMessage"""
        channel = self._channel(arguments)
        message = self._message(channel, arguments)
        thread_ts = arguments.get("thread_ts")
        if thread_ts:
            self.find(channel, str(thread_ts))
            message["thread_ts"] = str(thread_ts)
        self.messages[channel].append(message)
        self._changed()
        return {"channel": channel, "ts": message["ts"], "message": message}

    def do_chat_update(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """chat.update"""
        channel = self._channel(arguments)
        message = self.find(channel, str(arguments.get("ts")))
        fresh = self._message(channel, arguments)
        message.update(text=fresh["text"], blocks=fresh["blocks"])
        self._changed()
        return {"channel": channel, "ts": message["ts"], "text": message["text"]}

    def do_chat_delete(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """chat.delete"""
        channel = self._channel(arguments)
        self.messages[channel].remove(self.find(channel, str(arguments.get("ts"))))
        self._changed()
        return {"channel": channel, "ts": arguments.get("ts")}

    def do_chat_postEphemeral(self, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - named after Slack's method
        """chat.postEphemeral"""
        message = self.show_ephemeral(self._channel(arguments), arguments)
        return {"message_ts": message["ts"]}

    def do_chat_getPermalink(self, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - named after Slack's method
        """chat.getPermalink"""
        channel = self._channel(arguments)
        message = self.find(channel, str(arguments.get("message_ts")))
        return {"channel": channel, "permalink": f"{self.base_url}/#{channel}/{message['ts']}"}

    def do_views_open(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """views.open: a trigger opens one view"""
        trigger, view = str(arguments.get("trigger_id") or ""), arguments.get("view")
        if not trigger:
            raise SlackError("invalid_trigger_id")
        if any(open_view["trigger_id"] == trigger for open_view in self.views):
            raise SlackError("exchanged_trigger_id")
        if not isinstance(view, dict) or view.get("type") != "modal" or not view.get("blocks"):
            raise SlackError("invalid_arguments")
        shown = {**view, "id": f"V{len(self.views):08d}", "trigger_id": trigger, "state": {"values": {}}}
        self.views.append(shown)
        self._changed()
        return {"view": shown}

    def do_files_getUploadURLExternal(self, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - Slack's name
        """files.getUploadURLExternal"""
        return self.uploads.announce(arguments, self.base_url)

    def do_files_completeUploadExternal(self, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - Slack's name
        """files.completeUploadExternal: one message that shares the files"""
        channel = self._channel({"channel": arguments.get("channel_id")})
        files = self.uploads.shared(arguments.get("files") or [])
        message = self._message(channel, {"text": arguments.get("initial_comment") or "-"}) | {"files": files}
        if arguments.get("thread_ts"):
            self.find(channel, str(arguments["thread_ts"]))
            message["thread_ts"] = str(arguments["thread_ts"])
        self.messages[channel].append(message)
        self._changed()
        return {"files": files}

    def do_conversations_history(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """conversations.history: root messages, newest first"""
        channel = self._channel(arguments)
        roots = [m for m in self.messages[channel] if m.get("thread_ts") in (None, m["ts"]) and not m.get("ephemeral")]
        return _page(roots[::-1], arguments)

    def do_conversations_replies(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """conversations.replies: the root of a thread and its replies, oldest first"""
        channel = self._channel(arguments)
        message = next((m for m in self.messages[channel] if m["ts"] == str(arguments.get("ts"))), None)
        if message is None or message.get("ephemeral"):
            raise SlackError("thread_not_found")
        ts = message.get("thread_ts") or message["ts"]
        found = [m for m in self.messages[channel] if ts in (m["ts"], m.get("thread_ts")) and not m.get("ephemeral")]
        return _page(found, arguments, root_ts=ts)

    def _channel(self, arguments: dict[str, Any]) -> str:
        channel = str(arguments.get("channel") or "")
        if channel not in self.channels:
            raise SlackError("channel_not_found")
        return channel

    def _message(self, channel: str, arguments: dict[str, Any]) -> Message:
        blocks = arguments.get("blocks") or []
        text = str(arguments.get("text") or "")
        if not text and not blocks:
            raise SlackError("no_text")
        if problems({"text": text or "-", "blocks": blocks}):
            raise SlackError("invalid_blocks")
        return {
            "type": "message", "ts": self._ts(channel), "user": BOT_USER, "bot_id": BOT_ID, "text": text,
            "blocks": blocks, "metadata": arguments.get("metadata") or {},
        }  # fmt: skip

    def _ts(self, channel: str) -> str:
        now = max(time.time(), self._last_ts[channel] + 0.000_001)
        self._last_ts[channel] = now
        return f"{now:.6f}"

    def find(self, channel: str, ts: str) -> Message:
        """Return a message by its ts."""
        for message in self.messages[channel]:
            if message["ts"] == ts:
                return message
        raise SlackError("message_not_found")

    def show_ephemeral(self, channel: str, arguments: dict[str, Any]) -> Message:
        """Show a message to the one person at the page."""
        message = self._message(channel, arguments) | {"ephemeral": True}
        if arguments.get("thread_ts"):
            message["thread_ts"] = str(arguments["thread_ts"])
        self.messages[channel].append(message)
        self._changed()
        return message

    async def _response(self, request: web.Request) -> web.StreamResponse:
        channel = request.match_info["channel"]
        if channel not in self.channels:
            return web.Response(status=404, text="expired_url")
        try:
            self.show_ephemeral(channel, await request.json())
        except SlackError as error:
            return web.Response(status=400, text=str(error))
        return web.Response(text="ok")

    # What people do ------------------------------------------------------------------------------

    async def type(self, channel: str, text: str) -> None:
        """Type a line: a slash command goes to the app, anything else becomes a message."""
        command, _, rest = text.strip().partition(" ")
        if not command.startswith("/"):
            self._say(channel, text)
            return
        body = {
            "token": "unused", "team_id": TEAM, "team_domain": "playground", "channel_id": channel,
            "channel_name": self.channels[channel], "user_id": USER, "user_name": USER_NAME, "command": command,
            "text": rest, "api_app_id": "A0PLAYGRND", "is_enterprise_install": "false",
            "response_url": self._response_url(channel), "trigger_id": uuid.uuid4().hex,
        }  # fmt: skip
        await self._send(channel, urlencode(body))

    def _say(self, channel: str, text: str) -> None:
        message = {"type": "message", "ts": self._ts(channel), "user": USER, "text": text, "blocks": [], "metadata": {}}
        self.messages[channel].append(message)
        self._changed()

    async def click(self, channel: str, ts: str, element: dict[str, Any], block_id: str) -> None:
        """Click a button of a message."""
        message = self.find(channel, ts)
        payload = {
            "type": "block_actions", "team": {"id": TEAM, "domain": "playground"}, "api_app_id": "A0PLAYGRND",
            "user": {"id": USER, "username": USER_NAME, "name": USER_NAME, "team_id": TEAM},
            "container": {"type": "message", "message_ts": ts, "channel_id": channel},
            "trigger_id": uuid.uuid4().hex, "channel": {"id": channel, "name": self.channels[channel]},
            "message": message, "response_url": self._response_url(channel),
            "actions": [{**element, "block_id": block_id, "action_ts": self._ts(channel)}],
        }  # fmt: skip
        await self._send(channel, urlencode({"payload": json.dumps(payload)}))

    def _response_url(self, channel: str) -> str:
        return f"{self.base_url}/response/{channel}/{uuid.uuid4().hex}"

    async def _send(self, channel: str, body: str) -> None:
        """Send a signed request to the app and show what it answers at once."""
        timestamp = str(int(time.time()))
        signature = self._signer.generate_signature(timestamp=timestamp, body=body) or ""
        headers = {
            "Content-Type": "application/x-www-form-urlencoded", "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature,
        }  # fmt: skip
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3))
        try:
            async with self._session.post(self.app_url, data=body, headers=headers) as response:
                answer = await response.text()
                if response.status != 200:
                    self.show_ephemeral(channel, {"text": f"The app answered with status {response.status}."})
                elif answer.startswith("{"):
                    self.show_ephemeral(channel, json.loads(answer))
                elif answer:
                    self.show_ephemeral(channel, {"text": answer})
        except (aiohttp.ClientError, TimeoutError):
            self.show_ephemeral(channel, {"text": "The app did not answer in time (operation_timeout)."})

    # What the page sees --------------------------------------------------------------------------

    def _changed(self) -> None:
        for watcher in self._watchers:
            watcher.set()

    async def next_change(self, watcher: asyncio.Event, timeout_s: float) -> bool:
        """Wait until something changes; returns False when nothing did within `timeout_s`."""
        self._watchers.add(watcher)
        try:
            async with asyncio.timeout(timeout_s):
                await watcher.wait()
        except TimeoutError:
            return False
        watcher.clear()
        return True

    def forget(self, watcher: asyncio.Event) -> None:
        """Stop telling a watcher."""
        self._watchers.discard(watcher)

    def state(self) -> dict[str, Any]:
        """Return all that the page draws."""
        return {
            "team": "playground",
            "channels": [{"id": channel, "name": name} for channel, name in self.channels.items()],
            "messages": self.messages,
        }

    async def aclose(self) -> None:
        """Close connections."""
        if self._session is not None:
            await self._session.close()


def _page(messages: list[Message], arguments: dict[str, Any], root_ts: str = "") -> dict[str, Any]:
    """Return the page of messages that a call asks for, and the cursor of the next one.

    The root of a thread comes with its replies whatever range is asked for. (Slack leaves out the bounds themselves
    unless `inclusive` is said; nothing here asks for a range without meaning its bounds.)
    """
    oldest, latest = float(arguments.get("oldest") or 0), float(arguments.get("latest") or "inf")
    wanted = [m for m in messages if m["ts"] == root_ts or oldest <= float(m["ts"]) <= latest]
    start, size = int(arguments.get("cursor") or 0), int(arguments.get("limit") or PAGE_LIMIT)
    more = len(wanted) > start + size
    cursor = {"next_cursor": str(start + size)} if more else {"next_cursor": ""}
    return {"messages": wanted[start : start + size], "has_more": more, "response_metadata": cursor}


async def _arguments(request: web.Request) -> dict[str, Any]:
    """Read a call's arguments from JSON or a form, in which structures are JSON again."""
    if request.content_type == "application/json":
        data = await request.json()
        return data if isinstance(data, dict) else {}
    arguments: dict[str, Any] = {}
    for name, value in (*request.query.items(), *(await request.post()).items()):
        arguments[name] = value
        if isinstance(value, str) and value[:1] in "[{":
            try:
                arguments[name] = json.loads(value)
            except ValueError:
                arguments[name] = value
    return arguments
