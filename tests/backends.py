"""A trace backend for tests: a local server that replays recorded answers."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from functools import cached_property

import pytest
from aiohttp import web
from exchanges import exchange
from world import no_sleep, serve

from analysis import decode
from bot.errors import SourceError
from bot.playground.trace_api import Samples, routes
from bot.playground.trace_search import Recorded
from bot.requests.request import TraceRef
from bot.settings import Limits, Settings, SourceSettings
from bot.sources import open_sources

CHECKOUT = "4bf92f3577b34da6a3ce929d0e0e4736"


class Backend:
    """Replays recorded exchanges by path, in order; the last one for a path repeats."""

    def __init__(self) -> None:
        self.answers: dict[str, list] = {}
        self.asked: list[web.Request] = []

    def on(self, path: str, *answers) -> None:
        """Say what a path answers: recorded (server, name), or a handler."""
        self.answers[path] = list(answers)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        self.asked.append(request)
        answers = self.answers.get(request.path)
        if not answers:
            return web.Response(status=404, text="404 page not found\n")
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if callable(answer):
            return await answer(request)
        recorded = exchange(*answer)
        kept = {k: v for k, v in recorded.headers.items() if k in ("Content-Type", "Content-Encoding")}
        return web.Response(status=recorded.status, body=recorded.body, headers=kept)


@asynccontextmanager
async def sources(
    kind: str, backend: Backend, *, limits: Limits | None = None, channels=None, more=(), below: str = "", cache=None,
    **changes,
):  # fmt: skip
    """Serve a backend, whose paths are below another one, and open it as a source named after its kind."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", backend.answer)
    async with serve(app) as url:
        settings = Settings.model_construct(
            sources=(SourceSettings(name=kind, kind=kind, url=url + below, **changes), *more), jaeger_url=None, tempo_url=None,
            channels=channels or {}, limits=limits or Limits(missing_retry_s=0),
        )  # fmt: skip
        opened = open_sources(settings, no_sleep, cache)
        try:
            yield opened
        finally:
            await opened.aclose()


def status(code: int, text: str = "", **headers):
    """Return a handler that answers with a status."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=code, text=text, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return answer


async def fetch(opened, trace_id: str = CHECKOUT, **arguments):
    """Fetch a trace as the job does."""
    defaults = {"channel": "C1", "source": None, "tenant": None, "deadline_s": 5.0}
    return await opened.fetch(TraceRef(trace_id=trace_id), **defaults | arguments)


async def code_of(opened, trace_id: str = CHECKOUT, **arguments) -> str:
    """Return the code of the error that fetching ends in."""
    with pytest.raises(SourceError) as caught:
        await fetch(opened, trace_id, **arguments)
    assert caught.value.sentence
    return caught.value.code


class Town(Samples):
    """Traffic of a shop, recorded by a Jaeger: as many traces as a test needs, searched over HTTP."""

    def __init__(self) -> None:
        self.pairs = []
        self.replays = None
        self.bodies: dict[str, bytes] = {}
        self.asked: list[web.Request] = []
        self.lost: set[str] = set()  # found by searches, but gone when they are fetched
        self.broken: list[int] = []  # statuses of the next searches

    def request(
        self, at_s: float, took_ms: float, *, service: str = "checkout", operation: str = "POST /orders",
        failed: bool = False, orphan: bool = False, host: str = "",
    ) -> str:  # fmt: skip
        """Record one request, with a database call that takes most of it; returns its trace id."""
        trace_id = f"a{len(self.bodies) + 1:031x}"
        error = [{"key": "error", "type": "bool", "value": True}] if failed else []
        parent = [{"refType": "CHILD_OF", "traceID": trace_id, "spanID": "f" * 16}] if orphan else []
        root = {
            "traceID": trace_id, "spanID": f"{1:016x}", "operationName": operation, "references": parent, "logs": [],
            "startTime": round(at_s * 1e6), "duration": round(took_ms * 1000), "tags": error, "processID": "p",
        }  # fmt: skip
        call = root | {
            "spanID": f"{2:016x}", "operationName": "SELECT orders", "duration": round(took_ms * 900), "tags": [],
            "references": [{"refType": "CHILD_OF", "traceID": trace_id, "spanID": f"{1:016x}"}],
        }  # fmt: skip
        tags = [{"key": "host.name", "type": "string", "value": host}] if host else []
        data = {"traceID": trace_id, "spans": [root, call], "processes": {"p": {"serviceName": service, "tags": tags}}}
        self.bodies[trace_id] = json.dumps({"data": [data]}).encode()
        return trace_id

    def traffic(self, start_s: float, end_s: float, count: int, took_ms: float, **fields) -> list[str]:
        """Record requests at even distances, a little different from each other."""
        step = (end_s - start_s) / count
        return [self.request(start_s + i * step, took_ms * (1 + i % 5 / 20), **fields) for i in range(count)]

    @cached_property
    def recorded(self) -> list[Recorded]:
        """All traces, newest first."""
        return sorted((Recorded.of(decode(body)) for body in self.bodies.values()), key=lambda t: -t.start_ns)

    def jaeger(self, trace_id: str) -> bytes | None:
        """Return a trace as Jaeger v1 JSON, or None."""
        return self.bodies.get(trace_id)

    @asynccontextmanager
    async def served(self):
        """Serve the town's Jaeger; yields its address."""

        @web.middleware
        async def watch(request: web.Request, handler):
            self.asked.append(request)
            if request.path.endswith("/api/traces") and self.broken:
                return web.Response(status=self.broken.pop(0), text="no")
            if request.match_info.get("id") in self.lost:
                return web.Response(status=404, text='{"errors":[{"code":404,"msg":"trace not found"}]}')
            return await handler(request)

        app = web.Application(middlewares=[watch])
        app.add_routes(routes(self))
        async with serve(app) as url:
            yield f"{url}/jaeger"

    @asynccontextmanager
    async def open(self, **changes):
        """Serve the town's Jaeger and open it as a source."""
        async with self.served() as url:
            settings = Settings.model_construct(
                sources=(SourceSettings(name="town", kind="jaeger", url=url, **changes),), jaeger_url=None,
                tempo_url=None, channels={}, limits=Limits(missing_retry_s=0),
            )  # fmt: skip
            opened = open_sources(settings, no_sleep)
            try:
                yield opened.named("town")
            finally:
                await opened.aclose()
