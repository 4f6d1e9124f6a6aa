"""A server of metrics that says what a test wants, and keeps what it was asked."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from aiohttp import web
from world import serve

from bot.settings import MetricSettings

STEP = 300


class Metrics:
    """A source of metrics that says what a test wants: a rise of an operation's durations, unless told otherwise."""

    def __init__(self, kind: str = "rise") -> None:
        self.kind = kind
        self.asked: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.held = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer `query_range` and `query`."""
        self.asked.append(dict(request.query))
        self.headers.append(dict(request.headers))
        if self.kind == "slow":
            await self.held.wait()
        if self.kind.isdigit():
            return web.json_response({"status": "error", "error": "<!channel> password=hunter2"}, status=int(self.kind))
        if self.kind == "login page":
            return web.Response(text="<html>log in</html>", content_type="text/html")
        if self.kind == "huge":
            return web.Response(body=b"[" * 9_000_000)
        if self.kind == "wrong type":
            return web.json_response({"status": "success", "data": {"result": [{"metric": 7, "values": "x"}]}})
        if self.kind == "nonsense":
            series = {
                "metric": {"le": "NaN", "generation": "999"},
                "values": [[1e300, "NaN"], [1, "Infinity"], [2, "x"]],
            }
            return web.json_response({"status": "success", "data": {"result": [series]}})
        if "query_range" not in request.path:
            return web.json_response({"status": "success", "data": {"resultType": "vector", "result": []}})
        return web.json_response({"status": "success", "data": {"resultType": "matrix", "result": self._rise(request)}})

    @staticmethod
    def _rise(request: web.Request) -> list[dict]:
        start, end = int(request.query["start"]), int(float(request.query["end"]))
        times = range(start, end + 1, STEP)
        rise = times[-1] - 2 * STEP  # about when the request ran: its window goes on for two steps
        bounds = {"0.01": lambda at: 0 if at > rise else 50, "1": lambda _: 50, "+Inf": lambda _: 50}
        return [
            {"metric": {"le": le, "generation": "0"}, "values": [[at, str(count(at))] for at in times]}
            for le, count in bounds.items()
        ]


class At:
    """Where a server of metrics is."""

    def __init__(self, url: str, source: Metrics) -> None:
        self.url, self.source = url, source

    def settings(self, **changes) -> MetricSettings:
        """Return settings that point there."""
        return MetricSettings(name="prom", url=self.url, **changes)


@asynccontextmanager
async def metric_source(kind: str = "rise"):
    """Run a server of metrics; yields where it is."""
    source = Metrics(kind)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", source.answer)
    async with serve(app) as url:
        try:
            yield At(url, source)
        finally:
            source.held.set()
