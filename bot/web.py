"""Slack's requests over HTTP, and two addresses that say whether the process is well.

`/healthz` answers as long as the process lives, `/readyz` only while requests should come (not before the start
is complete, not while stopping, not while Socket Mode's connection is down).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from slack_bolt.async_app import AsyncApp

MAX_BODY_BYTES = 1024 * 1024  # Slack's largest payloads are a few hundred kilobytes
STOP_S = 5.0
TIMESTAMP_DIGITS = 20


class WebServer:
    """An aiohttp server around a Bolt app; without one it answers for the health of the process alone."""

    def __init__(self, app: AsyncApp | None, host: str, port: int, ready: Callable[[], Awaitable[bool]]) -> None:
        self._app = app
        self._ready = ready
        self._host = host
        self.port = port
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen; with port 0 the system picks one, found in `port` afterwards."""
        server = web.Application(client_max_size=MAX_BODY_BYTES)
        if self._app is not None:
            server.router.add_post("/slack/events", self._events)
        server.router.add_get("/healthz", _alive)
        server.router.add_get("/readyz", self._readiness)
        self._runner = web.AppRunner(server, access_log=None, shutdown_timeout=STOP_S)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening; requests under way are answered."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _events(self, request: web.Request) -> web.Response:
        """Hand one request of Slack to Bolt, which checks its signature."""
        # Bolt fails on a timestamp that is no number and on text that is no UTF-8: to us these are bad requests.
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "0")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= TIMESTAMP_DIGITS):
            return web.Response(status=HTTPStatus.UNAUTHORIZED, text="invalid request timestamp")
        try:
            incoming = await to_bolt_request(request)
        except (UnicodeDecodeError, LookupError, ValueError):
            return web.Response(status=HTTPStatus.BAD_REQUEST, text="unreadable body")
        assert self._app is not None  # noqa: S101 - the route exists only with an app
        return await to_aiohttp_response(await self._app.async_dispatch(incoming))

    async def _readiness(self, _: web.Request) -> web.Response:
        if await self._ready():
            return web.Response(text="ready")
        return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text="not ready")


async def _alive(_: web.Request) -> web.Response:
    return web.Response(text="ok")
