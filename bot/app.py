"""The composition root: builds every part, starts them in order, and stops them in reverse.

settings -> sources, runner, ledger -> delivery -> jobs -> listeners -> Bolt app -> HTTP or Socket Mode
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.comparing import Jobs
from bot.ledger import Ledger
from bot.runner import AnalysisRunner
from bot.settings import SettingsError
from bot.slack.listeners import Listeners
from bot.slack.post import Delivery
from bot.slack.respond import Responder
from bot.sources import open_sources
from bot.web import WebServer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.settings import Settings

SLACK_TIMEOUT_S = 10

log = structlog.get_logger()


class Bot:
    """The whole bot, in one process."""

    def __init__(self, settings: Settings, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.settings = settings
        token = settings.slack_bot_token.get_secret_value()
        # The SDK's own retry would post twice after a lost answer: delivery does its own, looking first.
        self.client = AsyncWebClient(
            token=token, base_url=settings.slack_api_url + "/", timeout=SLACK_TIMEOUT_S, retry_handlers=[]
        )
        self.sources = open_sources(settings, sleep)
        self.runner = AnalysisRunner(settings.limits.concurrent)
        self.ledger = Ledger(settings.state_file)
        self.delivery = Delivery(self.client, sleep)
        self.responder = Responder(settings.slack_api_url)
        self.jobs = Jobs(settings, self.sources, self.runner, self.ledger, self.delivery, self.responder)
        self.app = AsyncApp(signing_secret=settings.slack_signing_secret.get_secret_value() or None, client=self.client)
        Listeners(settings, self.sources, self.jobs).register(self.app)
        self.web: WebServer | None = None
        self._socket: AsyncSocketModeHandler | None = None

    async def start_http(self) -> None:
        """Serve Slack's requests over HTTP."""
        if not self.settings.slack_signing_secret.get_secret_value():
            raise SettingsError("SLACK_SIGNING_SECRET: HTTP mode needs it (Basic Information in the app's settings)")
        await self._start()
        self.web = WebServer(self.app, self.settings.host, self.settings.port)
        await self.web.start()
        log.info("listening", mode="http", port=self.web.port)

    async def start_socket(self) -> None:
        """Receive Slack's requests over a websocket that we open."""
        app_token = self.settings.slack_app_token.get_secret_value()
        if not app_token:
            raise SettingsError("SLACK_APP_TOKEN: Socket Mode needs an app-level token with connections:write")
        await self._start()
        web_client = AsyncWebClient(base_url=self.settings.slack_api_url + "/", timeout=SLACK_TIMEOUT_S)
        self._socket = AsyncSocketModeHandler(self.app, app_token, web_client=web_client)
        await self._socket.connect_async()
        log.info("listening", mode="socket")

    async def _start(self) -> None:
        await self.runner.warm_up()
        await self.jobs.resume()

    async def stop(self) -> None:
        """Stop receiving, let running comparisons finish, close everything."""
        if self.web is not None:
            await self.web.stop()
        if self._socket is not None:
            await self._socket.close_async()
        await self.jobs.drain()
        await self.runner.aclose()
        await self.responder.aclose()
        await self.sources.aclose()
        self.ledger.close()
