"""A workspace that speaks Socket Mode."""

from __future__ import annotations

import asyncio
import json

from aiohttp import WSMsgType, web
from world import FaultySlack


class SocketSlack(FaultySlack):
    """A workspace that hands out a websocket and sends envelopes through it."""

    def __init__(self) -> None:
        super().__init__()
        self.connected = asyncio.Event()
        self.acknowledged: asyncio.Queue[dict] = asyncio.Queue()
        self._socket: web.WebSocketResponse | None = None

    def routes(self):
        """Add the websocket's address."""
        return [*super().routes(), web.get("/link", self._link)]

    def do_apps_connections_open(self, _):
        """apps.connections.open"""
        return {"url": self.base_url.replace("http", "ws") + "/link"}

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1})
        self._socket = socket
        self.connected.set()
        async for message in socket:
            if message.type is WSMsgType.TEXT and message.data.startswith("{"):
                self.acknowledged.put_nowait(json.loads(message.data))
        return socket

    async def envelope(self, payload: dict, kind: str = "slash_commands") -> dict:
        """Send an envelope; returns what was acknowledged."""
        await self._socket.send_json(
            {"type": kind, "envelope_id": "e1", "accepts_response_payload": True, "payload": payload}
        )
        return await asyncio.wait_for(self.acknowledged.get(), 10)
