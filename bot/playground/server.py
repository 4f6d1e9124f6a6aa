"""The playground's server: the page, the Slack-like API and the trace API on one port, the real bot behind them."""

from __future__ import annotations

import asyncio
import json
import secrets
from importlib import resources
from typing import TYPE_CHECKING

from aiohttp import web
from pydantic import SecretStr

from bot.app import Bot
from bot.playground.trace_api import Samples, routes
from bot.playground.workspace import Workspace
from bot.settings import Limits, Settings, SourceSettings

if TYPE_CHECKING:
    from pathlib import Path

CHANNELS = {"C0INCIDENT": "inc-checkout-slow", "C0ALERTS": "alerts"}
HEARTBEAT_S = 15.0
MAX_BODY_BYTES = 1024 * 1024


class Playground:
    """Everything that `python -m bot playground` runs, in one process on localhost."""

    def __init__(self, port: int, state_file: Path) -> None:
        self.port = port
        self.samples = Samples()
        self.bot: Bot | None = None
        self._secret = secrets.token_hex(16)
        self.workspace = Workspace(self._secret, CHANNELS)
        self._state_file = state_file
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start the servers, then the bot against them."""
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.add_routes(self.workspace.routes())
        app.add_routes(routes(self.samples))
        app.add_routes([
            web.get("/", self._page), web.get("/page/{file}", self._file), web.get("/state", self._state),
            web.get("/changes", self._changes), web.post("/type", self._type), web.post("/click", self._click),
        ])  # fmt: skip
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.workspace.base_url = self.url
        self.bot = Bot(self._settings())
        await self.bot.start_http()
        if self.bot.web is not None:
            self.workspace.app.url = f"http://127.0.0.1:{self.bot.web.port}/slack/events"

    def _settings(self) -> Settings:
        """Point the real bot at the playground's own Slack and trace APIs."""
        return Settings.model_construct(
            slack_bot_token=SecretStr("xoxb-playground"),
            slack_signing_secret=SecretStr(self._secret),
            slack_app_token=SecretStr(""),
            slack_api_url=f"{self.url}/api",
            host="127.0.0.1",
            port=0,
            ops_port=0,
            state_file=self._state_file,
            jaeger_url=None,
            tempo_url=None,
            sources=(
                SourceSettings(
                    name="jaeger-demo", kind="jaeger", url=f"{self.url}/jaeger", ui_url=f"{self.url}/jaeger"
                ),
                SourceSettings(name="tempo-demo", kind="tempo", url=f"{self.url}/tempo"),
            ),
            channels={},
            links=(),
            allowed_channels=(),
            allowed_users=(),
            limits=Limits(missing_retry_s=2.0),
        )

    async def stop(self) -> None:
        """Stop everything."""
        if self.bot is not None:
            await self.bot.stop()
        await self.workspace.aclose()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _page(self, _: web.Request) -> web.Response:
        return web.Response(body=_asset("index.html"), content_type="text/html", charset="utf-8")

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info["file"]
        kinds = {"page.js": "text/javascript", "page.css": "text/css"}
        if name not in kinds:
            raise web.HTTPNotFound
        return web.Response(body=_asset(name), content_type=kinds[name], charset="utf-8")

    async def _state(self, _: web.Request) -> web.Response:
        samples = [
            {"name": s.name, "story": s.story, "command": f"/compare-traces {s.baseline} {s.suspect}"}
            for s in self.samples.pairs
        ]
        return web.json_response(self.workspace.state() | {"samples": samples})

    async def _changes(self, request: web.Request) -> web.StreamResponse:
        """Tell the page, as server-sent events, whenever something changed."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        watcher = asyncio.Event()
        try:
            while True:
                changed = await self.workspace.next_change(watcher, HEARTBEAT_S)
                await response.write(b"data: changed\n\n" if changed else b": alive\n\n")
        except (ConnectionResetError, asyncio.CancelledError):
            return response
        finally:
            self.workspace.forget(watcher)

    async def _type(self, request: web.Request) -> web.Response:
        data = await request.json()
        await self.workspace.type(str(data["channel"]), str(data["text"]))
        return web.Response(status=204)

    async def _click(self, request: web.Request) -> web.Response:
        data = await request.json()
        element = json.loads(json.dumps(data["element"]))
        await self.workspace.click(str(data["channel"]), str(data["ts"]), element, str(data.get("block_id") or "b"))
        return web.Response(status=204)


def _asset(name: str) -> bytes:
    return (resources.files("bot.playground") / "page" / "dist" / name).read_bytes()
