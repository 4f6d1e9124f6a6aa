"""The composition root: builds every part, starts them in order, and stops them in reverse.

settings -> sources, runner, ledger -> delivery -> jobs -> listeners -> Bolt app -> HTTP or Socket Mode
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import structlog
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot.analysing.runner import AnalysisRunner
from bot.ending import ended
from bot.evidence.sources import EvidenceSources
from bot.inquiry.inquiry import Inquiry
from bot.job.admission import Admission
from bot.job.answering import Answering
from bot.job.comparing import Jobs
from bot.job.completing import Completing
from bot.job.recollecting import Recollecting
from bot.listeners import Listeners
from bot.machines.asking import Asking
from bot.machines.callers import Tokens
from bot.machines.http_api import ApiServer
from bot.settings import SettingsError
from bot.slack.aside import Aside
from bot.slack.authorization import of_many_workspaces, of_one_workspace
from bot.slack.client import WatchedClient
from bot.slack.files import Files
from bot.slack.identity import Identity
from bot.slack.installations import install_flow, open_installations
from bot.slack.permissions import Permissions
from bot.slack.post import Delivery
from bot.slack.reception import Reception
from bot.slack.respond import Responder
from bot.slack.workspaces import WorkspaceClient
from bot.sources import open_sources
from bot.state.opening import keep_tidy, open_state
from bot.state.state_file import StateError
from bot.state.work_queue import ClaimedWork, end_overdue, sweep
from bot.telemetry import metrics
from bot.web import OpsServer, WebServer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.inquiry.result import Kept, Recollection
    from bot.settings import Settings

SLACK_TIMEOUT_S = 10
LEDGER_S = 1.0  # a ledger that takes longer to write is none

log = structlog.get_logger()


class Bot:
    """The whole bot in one process; with shared state, what one process of several is."""

    def __init__(self, settings: Settings, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.settings = settings
        self.installations = open_installations(settings)
        self.client = self._slack_client(settings.slack_bot_token.get_secret_value())
        self.identity = Identity(self.client)
        self.state = open_state(settings)
        self.ledger, self.results = self.state.ledger, self.state.results
        self.sources = open_sources(settings, sleep, self.state.cache)
        self.runner = AnalysisRunner(settings.limits.concurrent, redaction=settings.redaction)
        self.inquiry = Inquiry(settings, self.sources, self.runner)
        self.admission = Admission(settings.limits)
        self.delivery = Delivery(self.client, sleep, settings.limits.oldest_s)
        permissions = Permissions(self.client, self.delivery, settings)
        self.files = Files(self.client, self.delivery, sleep)
        self.responder = Responder(settings.slack_api_url)
        aside = Aside(self.delivery, self.responder)
        recollecting = Recollecting(settings, self.sources, self.state.memory, self.results, self.delivery, permissions)
        self._recollecting = recollecting
        answering = Answering(
            settings, self.sources, self.runner, self.ledger, self.results, self.delivery, self.files, recollecting
        )
        self.evidence = EvidenceSources(settings)
        completing = Completing(settings, self.sources, self.evidence, self.ledger, self.delivery, aside, answering)
        self.jobs = Jobs(
            settings, self.inquiry, self.admission, self.ledger, self.delivery, aside, answering, completing,
            permissions, sleep, self.state.queue,
        )  # fmt: skip
        self.app = self._bolt_app()
        listeners = Listeners(
            settings, self.sources, self.evidence, self.jobs, self.state, self.delivery, aside, answering,
            self.installations,
        )  # fmt: skip
        listeners.register(self.app)
        self.web: WebServer | None = None
        self.api = self._api()
        self.ops = OpsServer(settings.ops_host, settings.ops_port, self._problems, self._measure)
        self._watching: list[asyncio.Task[None]] = []
        self._working = AsyncExitStack()
        self._running = False
        self._socket: AsyncSocketModeHandler | None = None

    async def _recollect(self, key: str, result: Kept) -> Recollection | None:
        """Recall for a program what stands in the one workspace; of several, no token says which one it belongs to."""
        team = "" if self.installations else str(self.identity.known.get("team_id") or "")
        return await self._recollecting.recollect(key, result, team) if team else None

    def _api(self) -> ApiServer | None:
        """Return the server for programs, where any may ask."""
        tokens = Tokens(self.settings)
        if not tokens:
            return None
        asking = Asking(self.sources, self.inquiry, self.admission, self.evidence, self._recollect)
        return ApiServer(asking, tokens, self.settings.api_host, self.settings.api_port)

    def _slack_client(self, token: str) -> WatchedClient:
        """Return the client of Slack's Web API, for one workspace or for many."""
        base_url = self.settings.slack_api_url + "/"
        # The SDK's own retry would post twice after a lost answer: delivery does its own, looking first.
        if self.installations is not None:
            return WorkspaceClient(
                self.installations.token, base_url=base_url, timeout=SLACK_TIMEOUT_S, retry_handlers=[]
            )
        return WatchedClient(token, base_url=base_url, timeout=SLACK_TIMEOUT_S, retry_handlers=[])

    def _bolt_app(self) -> Reception:
        """Build the Bolt app; it knows its workspace from the start instead of asking before the first answer."""
        if self.installations is not None:
            authorize = of_many_workspaces(self.installations)
        else:
            authorize = of_one_workspace(self.identity, self.settings.slack_bot_token.get_secret_value())
        logger = logging.getLogger("slack_bolt.compare_traces")
        logger.setLevel(logging.ERROR)  # below that it prints whole requests, and remarks on how it was built
        return Reception(
            logger=logger,
            signing_secret=self.settings.slack_signing_secret.get_secret_value(),
            client=AsyncWebClient(base_url=self.settings.slack_api_url + "/", timeout=SLACK_TIMEOUT_S),
            authorize=authorize,
            raise_error_for_unhandled_request=True,
        )

    async def _identify(self) -> None:
        """Learn who we are in the workspace; raises `SettingsError` for a token that Slack refuses."""
        if not self.settings.slack_bot_token.get_secret_value():
            raise SettingsError("SLACK_BOT_TOKEN: install the app and copy its bot token (xoxb-...)")
        await self.identity.ask()
        if refused := self.identity.refused:
            raise SettingsError(
                f"SLACK_BOT_TOKEN: Slack refuses it ({refused}): copy it again from the app's OAuth page"
            )

    async def start_http(self) -> None:
        """Serve Slack's requests over HTTP."""
        if not self.settings.slack_signing_secret.get_secret_value():
            raise SettingsError("SLACK_SIGNING_SECRET: HTTP mode needs it (Basic Information in the app's settings)")
        await self._start()
        installing = None
        if self.installations is not None:
            installing = install_flow(self.settings, self.installations)
        self.web = WebServer(self.app, self.settings.host, self.settings.port, installing)
        await self.web.start()
        await self._start_api()
        self._running = True
        log.info("listening", mode="http", port=self.web.port, ops_port=self.ops.port)

    async def start_socket(self) -> None:
        """Receive Slack's requests over a websocket that we open."""
        if self.installations is not None:
            raise SettingsError("SLACK_CLIENT_ID: several workspaces need HTTP mode: leave SLACK_APP_TOKEN out")
        app_token = self.settings.slack_app_token.get_secret_value()
        if not app_token:
            raise SettingsError("SLACK_APP_TOKEN: Socket Mode needs an app-level token with connections:write")
        await self._start()
        web_client = AsyncWebClient(base_url=self.settings.slack_api_url + "/", timeout=SLACK_TIMEOUT_S)
        self._socket = AsyncSocketModeHandler(self.app, app_token, web_client=web_client)
        await self._socket.connect_async()
        await self._start_api()
        self._running = True
        log.info("listening", mode="socket", ops_port=self.ops.port)

    async def start_worker(self) -> None:
        """Answer what other processes accept; raises `SettingsError` without shared state."""
        if self.state.shared is None:
            raise SettingsError("REDIS_URL: a worker needs it, to receive what other processes accept")
        await self._start()
        shared = self.state.shared
        work = ClaimedWork(shared.ledger, self.jobs.work)
        await self._working.enter_async_context(shared.queue.workers(work.answer, self.settings.limits.concurrent))
        self._watching.append(asyncio.create_task(sweep(shared.ledger, shared.queue)))
        self._running = True
        log.info("working", ops_port=self.ops.port)

    async def _start_api(self) -> None:
        if self.api is None:
            return
        try:
            await self.api.start()
        except OSError as error:
            where = f"{self.settings.api_host}:{self.settings.api_port}"
            raise SettingsError(f"API_HOST, API_PORT: cannot listen on {where}: {error.strerror}") from None
        log.info("listening for programs", port=self.api.port)

    async def _problems(self) -> list[str]:
        """Name what keeps requests from reaching us or from being taken."""
        problems = []
        if not self._running:
            problems.append("not receiving: starting or stopping")
        elif self._socket is not None and not await self._socket.client.is_connected():
            problems.append("not receiving: no connection of Socket Mode")
        if self.installations is None and self.identity.problem:
            problems.append(self.identity.problem)
        try:
            async with asyncio.timeout(LEDGER_S):
                await self.ledger.check()
        except (StateError, TimeoutError) as error:
            problems.append(f"the ledger cannot be written ({str(error) or 'it takes too long'})")
        return problems

    async def _measure(self) -> None:
        """Look up what is known by looking only."""
        metrics.READY.set(not await self._problems())
        try:
            pending, votes = await self.ledger.pending(), await self.results.totals()
        except StateError as error:
            log.warning("cannot read the ledger", error=str(error))
            return
        metrics.UNFINISHED.set(pending.count)
        metrics.OLDEST.set(pending.oldest_s)
        metrics.USEFUL.set(votes.useful)
        metrics.NOT_USEFUL.set(votes.not_useful)

    async def _start(self) -> None:
        try:
            await self.ops.start()
        except OSError as error:
            where = f"{self.settings.ops_host}:{self.settings.ops_port}"
            raise SettingsError(f"OPS_HOST, OPS_PORT: cannot listen on {where}: {error.strerror}") from None
        if self.installations is None:
            await self._identify()
            self._watching.append(asyncio.create_task(self.identity.watch()))
        self._watching.append(asyncio.create_task(metrics.sample_loop_lag()))
        await self.state.start()
        await self.runner.warm_up()
        if self.state.shared is None:
            self._watching.append(asyncio.create_task(keep_tidy(self.state)))
            await self.jobs.resume()
        else:
            ledger, oldest_s = self.state.shared.ledger, self.settings.limits.oldest_s
            work = ClaimedWork(ledger, self.jobs.work)
            self._watching.append(asyncio.create_task(end_overdue(ledger, work, oldest_s, time.time)))

    async def stop(self) -> None:
        """Stop receiving, let running comparisons finish, close everything. May be called twice."""
        self._running = False
        if self.web is not None:
            await self.web.stop()
        if self.api is not None:
            await self.api.stop()
        if self._socket is not None:
            await self._socket.close_async()
        await self._working.aclose()
        await self.jobs.drain()
        await ended(self._watching)
        await self.runner.aclose()
        await self.responder.aclose()
        await self.sources.aclose()
        await self.evidence.aclose()
        await self.ops.stop()
        await self.client.aclose()
        await self.state.aclose()
