"""A trace backend for tests: a local server that replays recorded answers."""

from __future__ import annotations

from contextlib import asynccontextmanager

from aiohttp import web
from exchanges import exchange
from world import no_sleep, serve

from bot.settings import Limits, Settings, SourceSettings
from bot.sources import open_sources


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
async def sources(kind: str, backend: Backend, *, limits: Limits | None = None, channels=None, more=(), **changes):
    """Serve a backend and open it as a source named after its kind."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", backend.answer)
    async with serve(app) as url:
        settings = Settings.model_construct(
            sources=(SourceSettings(name=kind, kind=kind, url=url, **changes), *more), jaeger_url=None, tempo_url=None,
            channels=channels or {}, limits=limits or Limits(missing_retry_s=0),
        )  # fmt: skip
        opened = open_sources(settings, no_sleep)
        try:
            yield opened
        finally:
            await opened.aclose()


def status(code: int, text: str = "", **headers):
    """Return a handler that answers with a status."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=code, text=text, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return answer
