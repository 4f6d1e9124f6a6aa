"""The bot under test: the real app against a local Slack-like API and local trace backends."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from pydantic import SecretStr
from slack_oracles import objections, view_objections
from slack_sdk.signature import SignatureVerifier

from bot.app import Bot
from bot.playground.uploads import Uploads
from bot.playground.workspace import BOT_ID, Workspace
from bot.playground.workspace.responses import Address
from bot.settings import EvidenceSettings, Limits, Settings, SourceSettings
from bot.slack.limits import view_problems

CHANNEL = "C0INCIDENT"
COUNT = itertools.count(1)
SECRET = "s" * 32


async def no_sleep(_: float) -> None:
    """Pass the time at once: tests never wait for pauses that only courtesy demands."""
    await asyncio.sleep(0)


class CutError(Exception):
    """The connection shall break although the call was applied."""


def hang_up(request: web.Request) -> web.Response:
    """Break a connection without a word."""
    request.transport.abort()
    return web.Response()


class FaultyUploads(Uploads):
    """A place for files that can refuse them."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals = 0

    async def _receive(self, request):
        if self.refusals:
            self.refusals -= 1
            return web.Response(status=503)
        return await super()._receive(request)


class FaultySlack(Workspace):
    """A workspace that can fail a call before or after it is applied."""

    def __init__(self) -> None:
        super().__init__(SECRET, {CHANNEL: "incident", "C0OTHER": "other"})
        self.uploads = FaultyUploads()
        self.homes: dict[str, list[dict]] = {}
        self.loses_described_files = False  # says "ok" and shares nothing
        self.faults: list[tuple[str, str]] = []  # (method, what happens), each once
        self.objections: list[str] = []  # what independent judges had against any message of the bot

    async def answer(self, method, arguments):
        """Answer as Slack, or with the next fault for this method."""
        fault = next((f for f in self.faults if f[0] == method), None)
        if fault is None:
            return await super().answer(method, arguments)
        self.faults.remove(fault)
        what = fault[1]
        if what == "pass":
            return await super().answer(method, arguments)
        if what == "cut before":
            raise CutError
        if what == "429":
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": "1"})
        if what.startswith("429 "):
            headers = {"Retry-After": what[4:]}
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
        if what == "500":
            return web.Response(status=500, text="oops")
        if what == "cut after":
            await super().answer(method, arguments)
            raise CutError
        if what == "half an answer":
            await super().answer(method, arguments)
            return web.Response(text='{"ok": tr', content_type="application/json")
        if what == "no such method":
            return web.Response(status=404, text="404: Not Found")
        return web.json_response({"ok": False, "error": what})

    async def _api(self, request):
        """Answer a call, or hang up."""
        try:
            return await super()._api(request)
        except CutError:
            return hang_up(request)

    async def _response(self, request):
        """Take what comes to a response address, or fail."""
        self.calls.append(("response", await request.json()))
        fault = next((f for f in self.faults if f[0] == "response"), None)
        what = fault[1] if fault else ""
        if fault:
            self.faults.remove(fault)
        if what and what != "cut after":
            return web.Response(status=int(what))
        answer = await super()._response(request)
        return hang_up(request) if what else answer

    def _address(self, channel, token):
        """Take any address for one that was given out: tests make up their own, and may name a message with it."""
        original = next((m for m in self.messages[channel] if m["ts"] == token), None)
        return Address(channel=channel, original=original, made_at=time.monotonic())

    def _open(self, arguments):
        """Take any trigger for one that was given out: tests make up their own."""
        if arguments.get("trigger_id"):
            self._triggers.setdefault(arguments["trigger_id"], self._clock())
        return super()._open(arguments)

    def _message(self, channel, arguments):
        """Judge every message that the bot sends, by whatever way."""
        self.objections += objections(arguments)
        return super()._message(channel, arguments)

    def do_views_open(self, arguments):
        """Judge every modal that the bot opens."""
        self.objections += view_objections(arguments["view"])
        return super().do_views_open(arguments)

    def do_views_publish(self, arguments):
        """Judge a home tab, and keep what was shown to whom."""
        self.objections += view_objections(arguments["view"])
        assert view_problems(arguments["view"]) == []
        self.homes.setdefault(arguments["user_id"], []).append(arguments["view"])
        return {"view": arguments["view"]}

    def do_views_update(self, arguments):
        """Judge every page of a modal that the bot turns to."""
        self.objections += view_objections(arguments["view"])
        return super().do_views_update(arguments)

    def do_files_completeUploadExternal(self, arguments):  # noqa: N802 - named after Slack's method
        """Share files, or say so."""
        described = [self.uploads.files[its["id"]].alt_text for its in arguments["files"]]
        assert all(len(text) <= 1_000 for text in described)
        if self.loses_described_files and any(described):
            return {"files": []}
        return super().do_files_completeUploadExternal(arguments)

    def put(self, channel: str, **message) -> dict:
        """Have somebody else post a message; returns it."""
        message = {"type": "message", "ts": self._ts(channel), "text": "", **message}
        self.messages[channel].append(message)
        return message

    def called(self, method: str) -> list[dict]:
        """Return the arguments of every call of a method."""
        return [arguments for name, arguments in self.calls if name == method]

    def roots(self) -> list[dict]:
        """Return the bot's messages in the channel itself."""
        return [
            m
            for m in self.messages[CHANNEL]
            if m.get("bot_id") == BOT_ID and not m.get("thread_ts") and not m.get("ephemeral")
        ]

    def thread(self, ts: str) -> list[dict]:
        """Return everything in a thread but its root."""
        return [m for m in self.messages[CHANNEL] if m.get("thread_ts") == ts and not m.get("ephemeral")]

    def replies(self, ts: str) -> list[dict]:
        """Return the messages in a thread, those that share files left out."""
        return [m for m in self.thread(ts) if not m.get("files")]

    def whispers(self) -> list[str]:
        """Return the texts that only the asking person saw."""
        return [m["text"] for messages in self.messages.values() for m in messages if m.get("ephemeral")]


def button(blocks: list[dict], action_id: str) -> dict:
    """Return a button by what it does."""
    elements = [e for block in blocks if block["type"] == "actions" for e in block["elements"]]
    return next(e for e in elements if e["action_id"] == action_id)


class World:
    """The bot with everything around it."""

    def __init__(self, slack: FaultySlack, bot: Bot, url: str) -> None:
        self.slack = slack
        self.bot = bot
        self.url = url

    def beside(self, **changes) -> Bot:
        """Return another process of the same bot; keywords change its settings."""
        return Bot(self.bot.settings.model_copy(update={"ops_port": 0, **changes}), sleep=no_sleep)

    async def command(self, text: str, **fields: str):
        """Send a signed slash command as Slack does; returns (status, body)."""
        body = {
            "command": "/compare-traces", "text": text, "team_id": "T1", "channel_id": CHANNEL, "user_id": "U1",
            "user_name": "alice", "response_url": f"{self.url}/response/{CHANNEL}/x", "trigger_id": "t",
        } | fields  # fmt: skip
        return await self.send(urlencode(body))

    async def send(self, body: str, *, headers: dict[str, str] | None = None, at: float | None = None):
        """Send a signed request to the bot's web server."""
        timestamp = str(int(at or time.time()))
        signed = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": SignatureVerifier(SECRET).generate_signature(timestamp=timestamp, body=body),
        } | (headers or {})
        url = f"http://127.0.0.1:{self.bot.web.port}/slack/events"
        async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=signed) as response:
            text = await response.text()
            if '"blocks"' in text:
                self.slack.objections += objections(json.loads(text))
            return response.status, text

    async def action(self, payload: dict):
        """Send a signed interaction."""
        return await self.send(urlencode({"payload": json.dumps(payload)}))

    async def event(self, event: dict, event_id: str = "", **envelope):
        """Send a signed event."""
        body = json.dumps({
            "type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event": event,
            "event_id": event_id or f"Ev{next(COUNT)}", "event_time": 1, "authorizations": [],
        } | envelope)  # fmt: skip
        return await self.send(body, headers={"Content-Type": "application/json"})

    async def submit(self, view: dict, values: dict[str, dict], **fields):
        """Send off an open form as Slack does, its blocks filled in with `values`; returns (status, body)."""
        state = {block["block_id"]: {block["element"]["action_id"]: {}} for block in view["blocks"]}
        for block, value in values.items():
            state[block] = dict.fromkeys(state[block], value)
        payload = {
            "type": "view_submission", "team": {"id": "T1"}, "user": {"id": "U1", "username": "alice"},
            "trigger_id": "t", "view": {**view, "state": {"values": state}}, "response_urls": [],
        } | fields  # fmt: skip
        return await self.action(payload)

    async def click(self, message: dict, action_id: str, *, user: str = "alice", **fields):
        """Press a button of a message, as somebody; returns (status, body)."""
        element = button(message["blocks"], action_id)
        hidden = {"container": {"type": "message", "message_ts": message["ts"], "is_ephemeral": True}}
        seen = {"message": message, "container": {"type": "message", "message_ts": message["ts"]}}
        payload = {
            "type": "block_actions", "team": {"id": "T1"}, "user": {"id": f"U-{user}", "username": user},
            "channel": {"id": CHANNEL, "name": "incident"}, "trigger_id": f"t{next(COUNT)}",
            "response_url": f"{self.url}/response/{CHANNEL}/{message['ts']}", "actions": [element],
        } | (hidden if message.get("ephemeral") else seen) | fields  # fmt: skip
        return await self.action(payload)

    async def turn(self, view: dict, action_id: str):
        """Press a button of an open modal; returns (status, body)."""
        return await self.action({
            "type": "block_actions", "team": {"id": "T1"}, "user": {"id": "U-alice", "username": "alice"},
            "container": {"type": "view", "view_id": view["id"]}, "trigger_id": f"t{next(COUNT)}",
            "view": dict(view), "actions": [button(view["blocks"], action_id)],
        })  # fmt: skip

    async def settled(self) -> None:
        """Wait until every accepted request has ended."""
        await self.bot.jobs.idle()


@asynccontextmanager
async def serve(app: web.Application):
    """Run an aiohttp application on a free port; yields its address."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def settings_for(url: str, state_file, **changes) -> Settings:
    """Return settings that point at a local workspace and local sources."""
    values = {
        "slack_bot_token": SecretStr("xoxb-test"), "slack_signing_secret": SecretStr(SECRET),
        "slack_app_token": SecretStr(""), "slack_api_url": f"{url}/api", "host": "127.0.0.1", "port": 0, "ops_port": 0,
        "state_file": state_file, "redis_url": None, "jaeger_url": None, "tempo_url": None, "channels": {}, "logs": (), "metrics": (), "evidence": EvidenceSettings(), "links": (),
        "allowed_channels": (),
        "allowed_users": (), "limits": Limits(missing_retry_s=2.0),
        "sources": (
            SourceSettings(name="jaeger", kind="jaeger", url=f"{url}/jaeger", ui_url=f"{url}/jaeger"),
            SourceSettings(name="tempo", kind="tempo", url=f"{url}/tempo"),
        ),
    } | changes  # fmt: skip
    return Settings.model_construct(**values)
