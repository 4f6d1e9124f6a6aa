"""HTTP mode: Slack's requests, and two addresses that say whether the process is well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncApp

MAX_BODY_BYTES = 1024 * 1024  # Slack's largest payloads are a few hundred kilobytes
STOP_S = 5.0


class WebServer:
    """An aiohttp server around a Bolt app."""

    def __init__(self, app: AsyncApp, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self.port = port
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen; with port 0 the system picks one, found in `port` afterwards."""
        server = web.Application(client_max_size=MAX_BODY_BYTES)
        server.router.add_post("/slack/events", self._events)
        server.router.add_get("/healthz", _healthy)
        server.router.add_get("/readyz", _healthy)
        self._runner = web.AppRunner(server, access_log=None, shutdown_timeout=STOP_S)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening; requests under way are answered."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _events(self, request: web.Request) -> web.Response:
        # Bolt answers 500 to a timestamp that is no number: to us that is a bad request, not our fault.
        timestamp = request.headers.get("X-Slack-Request-Timestamp")
        if timestamp is not None and not (timestamp.isascii() and timestamp.isdigit()):
            return web.Response(status=401, text="invalid request timestamp")
        return await to_aiohttp_response(await self._app.async_dispatch(await to_bolt_request(request)))


async def _healthy(_: web.Request) -> web.Response:
    return web.Response(text="ok")
