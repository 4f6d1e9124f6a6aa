"""The playground's server: the page, the Slack-like API and the trace API on one port, the real bot behind them."""

from __future__ import annotations

import json
import secrets
import time
from importlib import resources
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import SecretStr

from bot.app import Bot
from bot.playground.alert_bot import AlertBot
from bot.playground.page_api import PageApi
from bot.playground.trace_api import Samples, routes
from bot.playground.workspace import Workspace
from bot.settings import Limits, Settings, SourceSettings
from bot.settings.reach import ChannelSettings

CHANNELS = {"C0INCIDENT": "incidents", "C0PAYMENTS": "payments", "C0ALERTS": "alerts", "C0RANDOM": "random"}
WATCHED = "C0ALERTS"
ONE_SOURCE = "C0PAYMENTS"  # asks Tempo alone
UNINVITED = "C0RANDOM"
MANIFEST = "manifest.http.watch.json"
MAX_BODY_BYTES = 1024 * 1024


class Playground:
    """Everything that `compare-traces-bot playground` runs, in one process on localhost."""

    def __init__(self, port: int, state_file: Path) -> None:
        self.port = port
        self.samples = Samples()
        self.traffic = self.samples.replay(int(time.time()))
        self.bot: Bot | None = None
        self._secret = secrets.token_hex(16)
        self.workspace = Workspace(self._secret, CHANNELS, manifest())
        self.workspace.absent.add(UNINVITED)
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
        page = PageApi(self.workspace, self.samples, AlertBot(self.workspace, self.samples))
        app.add_routes(page.routes())
        app.on_shutdown.append(page.hang_up)
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
            channels={ONE_SOURCE: ChannelSettings(sources=("tempo-demo",))},
            watched_channels=(WATCHED,),
            links=(),
            allowed_channels=(),
            allowed_users=(),
            limits=Limits(
                deadline_s=180.0, missing_retry_s=2.0
            ),  # sources, bot and browser share one computer, perhaps a slow one
        )

    async def stop(self) -> None:
        """Stop everything."""
        if self.bot is not None:
            await self.bot.stop()
        await self.workspace.aclose()
        if self._runner is not None:
            await self._runner.cleanup()


def manifest() -> dict[str, Any]:
    """Return the manifest that the app is installed from; in a built package it lies beside this file."""
    packed = resources.files("bot.playground") / MANIFEST
    text = packed.read_text() if packed.is_file() else (Path(__file__).parents[2] / MANIFEST).read_text()
    found: dict[str, Any] = json.loads(text)
    return found
