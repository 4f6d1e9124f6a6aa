"""The composition root: builds every part, starts them in order, and stops them in reverse.

settings -> sources, runner, ledger -> delivery -> jobs -> listeners -> Bolt app -> HTTP or Socket Mode
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import structlog
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.answering import Answering
from bot.comparing import Jobs
from bot.ledger import Ledger
from bot.runner import AnalysisRunner
from bot.settings import SettingsError
from bot.slack.files import Files
from bot.slack.listeners import Listeners
from bot.slack.post import FAILURES, Delivery, error_code
from bot.slack.respond import Responder
from bot.sources import open_sources
from bot.web import WebServer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.settings import Settings

SLACK_TIMEOUT_S = 10
TOKEN_ERRORS = ("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "no_permission")

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
        self.files = Files(self.client, self.delivery, sleep)
        self.responder = Responder(settings.slack_api_url)
        answering = Answering(self.runner, self.ledger, self.delivery, self.files)
        self.jobs = Jobs(
            settings, self.sources, self.runner, self.ledger, self.delivery, self.responder, answering, sleep
        )
        self.app = self._bolt_app()
        Listeners(settings, self.sources, self.jobs, self.ledger, self.delivery, self.responder).register(self.app)
        self.web: WebServer | None = None
        self._identity: dict[str, Any] = {}
        self._running = False
        self._socket: AsyncSocketModeHandler | None = None

    def _bolt_app(self) -> AsyncApp:
        """Build the Bolt app; it knows its workspace from the start instead of asking before the first answer."""

        async def authorize() -> AuthorizeResult:
            return AuthorizeResult(
                enterprise_id=self._identity.get("enterprise_id"),
                team_id=self._identity.get("team_id"),
                bot_user_id=self._identity.get("user_id"),
                bot_id=self._identity.get("bot_id"),
                bot_token=self.settings.slack_bot_token.get_secret_value(),
            )

        logger = logging.getLogger("slack_bolt.compare_traces")
        logger.setLevel(logging.ERROR)  # below that it prints whole requests, and remarks on how it was built
        return AsyncApp(
            logger=logger,
            signing_secret=self.settings.slack_signing_secret.get_secret_value(),
            client=AsyncWebClient(base_url=self.settings.slack_api_url + "/", timeout=SLACK_TIMEOUT_S),
            authorize=authorize,  # a function: Bolt passes arguments by name and would find `self` in a method's
            raise_error_for_unhandled_request=True,
        )

    async def _identify(self) -> None:
        """Learn who we are in the workspace; raises `SettingsError` for a token that Slack refuses."""
        if not self.settings.slack_bot_token.get_secret_value():
            raise SettingsError("SLACK_BOT_TOKEN: install the app and copy its bot token (xoxb-...)")
        try:
            response = await self.client.auth_test()
        except SlackApiError as error:
            if error_code(error) in TOKEN_ERRORS:
                raise SettingsError(
                    f"SLACK_BOT_TOKEN: Slack refuses it ({error_code(error)}): copy it again from the app's OAuth page"
                ) from None
            log.warning("Slack does not say who I am", error=error_code(error))
        except FAILURES as error:
            # Slack may be back before the first request; nothing but the filter of our own messages needs it.
            log.warning("Slack cannot be reached", error=str(error)[:200])
        else:
            self._identity = dict(response.data) if isinstance(response.data, dict) else {}

    async def start_http(self) -> None:
        """Serve Slack's requests over HTTP."""
        if not self.settings.slack_signing_secret.get_secret_value():
            raise SettingsError("SLACK_SIGNING_SECRET: HTTP mode needs it (Basic Information in the app's settings)")
        await self._start()
        self.web = WebServer(self.app, self.settings.host, self.settings.port, self._ready)
        await self.web.start()
        self._running = True
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
        if "port" in self.settings.model_fields_set:
            self.web = WebServer(None, self.settings.host, self.settings.port, self._ready)
            await self.web.start()
        self._running = True
        log.info("listening", mode="socket")

    async def _ready(self) -> bool:
        """Tell whether requests reach us and may come."""
        return self._running and (self._socket is None or await self._socket.client.is_connected())

    async def _start(self) -> None:
        await self._identify()
        await self.runner.warm_up()
        await self.jobs.resume()

    async def stop(self) -> None:
        """Stop receiving, let running comparisons finish, close everything. May be called twice."""
        self._running = False
        if self.web is not None:
            await self.web.stop()
        if self._socket is not None:
            await self._socket.close_async()
        await self.jobs.drain()
        await self.runner.aclose()
        await self.responder.aclose()
        await self.sources.aclose()
        self.ledger.close()
