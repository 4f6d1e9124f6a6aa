"""Two web servers: Slack's requests come to one, the questions of those who run the bot to the other.

The second has a port of its own, on loopback unless set otherwise: `/healthz` answers as long as the event loop does,
`/readyz` says whether requests should come, and why not, `/metrics` is for Prometheus.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request

from bot.telemetry import metrics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from slack_bolt.async_app import AsyncApp
    from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
    from slack_bolt.request.async_request import AsyncBoltRequest
    from slack_bolt.response import BoltResponse

MAX_BODY_BYTES = 1024 * 1024  # Slack's largest payloads are a few hundred kilobytes
STOP_S = 5.0
TIMESTAMP_DIGITS = 20


class Server:
    """An aiohttp server."""

    cancels = False  # whether what is done for a client stops when it hangs up

    def __init__(self, host: str, port: int, routes: Sequence[web.RouteDef]) -> None:
        self._routes = routes
        self._host = host
        self.port = port
        self._runner: web.AppRunner | None = None

    def application(self) -> web.Application:
        """Return the application, without its routes."""
        return web.Application(client_max_size=MAX_BODY_BYTES)

    async def start(self) -> None:
        """Listen; with port 0 the system picks one, found in `port` afterwards. Raises `OSError`."""
        server = self.application()
        server.add_routes(self._routes)
        self._runner = web.AppRunner(
            server, access_log=None, shutdown_timeout=STOP_S, handler_cancellation=self.cancels
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening; requests under way are answered."""
        if self._runner is not None:
            await self._runner.cleanup()


class WebServer(Server):
    """Takes Slack's requests to a Bolt app."""

    def __init__(self, app: AsyncApp, host: str, port: int, installing: AsyncOAuthFlow | None = None) -> None:
        routes = [web.post("/slack/events", self._events)]
        if installing is not None:
            routes += [
                web.get(installing.install_path, _page(installing.handle_installation)),
                web.get(installing.redirect_uri_path, _page(installing.handle_callback)),
            ]
        super().__init__(host, port, routes)
        self._app = app

    async def _events(self, request: web.Request) -> web.Response:
        """Hand one request of Slack to Bolt, which checks its signature."""
        # Bolt fails on a timestamp that is no number, on text that is no UTF-8, and on JSON of another shape than
        # Slack's, all of it before it checks the signature: to us these are bad requests.
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "0")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= TIMESTAMP_DIGITS):
            return web.Response(status=HTTPStatus.UNAUTHORIZED, text="invalid request timestamp")
        try:
            incoming = await to_bolt_request(request)
        except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
            return web.Response(status=HTTPStatus.BAD_REQUEST, text="unreadable body")
        return await to_aiohttp_response(await self._app.async_dispatch(incoming))


def _page(
    answer: Callable[[AsyncBoltRequest], Awaitable[BoltResponse]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Serve a page of Bolt's to a browser."""

    async def page(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await answer(await to_bolt_request(request)))

    return page


class OpsServer(Server):
    """Answers those who run the bot.

    `problems` names what keeps requests from being taken; `measure` brings those measurements up to date that are
    looked up rather than counted.
    """

    def __init__(
        self, host: str, port: int, problems: Callable[[], Awaitable[list[str]]], measure: Callable[[], Awaitable[None]]
    ) -> None:
        routes = [
            web.get("/healthz", self._alive),
            web.get("/readyz", self._ready),
            web.get("/metrics", self._metrics),
        ]
        super().__init__(host, port, routes)
        self._problems = problems
        self._measure = measure

    @staticmethod
    async def _alive(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _ready(self, _: web.Request) -> web.Response:
        problems = await self._problems()
        if not problems:
            return web.Response(text="ready\n")
        text = "".join(f"not ready: {problem}\n" for problem in problems)
        return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text=text)

    async def _metrics(self, request: web.Request) -> web.Response:
        await self._measure()
        body, content_type = metrics.exposition(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})
