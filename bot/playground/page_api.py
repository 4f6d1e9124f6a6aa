"""What the page asks of the playground: the state it draws, word of changes, and what the person at it does."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from importlib import resources
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.playground.workspace import SlackError
from bot.playground.workspace.app import AppError

if TYPE_CHECKING:
    from bot.playground.alert_bot import AlertBot
    from bot.playground.trace_api import Samples
    from bot.playground.traffic import Traffic
    from bot.playground.workspace import Workspace

HEARTBEAT_S = 15.0
ASSETS = {"page.js": "text/javascript", "page.css": "text/css"}


WINDOWS_STORY = "Checkout got slow, for four requests in ten: all of the last half hour against all of the one before."


def windows_command(traffic: Traffic) -> str:
    """Return the command that compares the traffic before and after it got slow."""
    since, until = (
        datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%MZ")
        for at in (traffic.trouble_since, traffic.started_at)
    )
    return f'/compare-traces service=gateway operation="POST /api/checkout" from={since} to={until} vs before'


class PageApi:
    """The page's own routes."""

    def __init__(self, workspace: Workspace, samples: Samples, alerts: AlertBot) -> None:
        self._workspace = workspace
        self._samples = samples
        self._alerts = alerts
        self._telling: set[asyncio.Task[Any] | None] = set()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/", self._page), web.get("/page/{file}", self._file), web.get("/state", self._state),
            web.get("/changes", self._changes), web.post("/do/{what}", self._do),
        ]  # fmt: skip

    async def hang_up(self, _: web.Application) -> None:
        """End the streams of changes: an open page would have the server wait for them."""
        for task in self._telling:
            if task is not None:
                task.cancel()

    async def _page(self, _: web.Request) -> web.Response:
        return web.Response(body=_asset("index.html"), content_type="text/html", charset="utf-8")

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info["file"]
        if name not in ASSETS:
            raise web.HTTPNotFound
        return web.Response(body=_asset(name), content_type=ASSETS[name], charset="utf-8")

    async def _state(self, _: web.Request) -> web.Response:
        samples = [
            {"name": s.name, "story": s.story, "command": f"/compare-traces {s.baseline} {s.suspect}"}
            for s in self._samples.pairs
        ]
        if self._samples.replays is not None:
            samples.append(
                {"name": "two-windows", "story": WINDOWS_STORY, "command": windows_command(self._samples.replays)}
            )
        return web.json_response(self._workspace.state() | {"samples": samples, "alerts": self._alerts.menu()})

    async def _changes(self, request: web.Request) -> web.StreamResponse:
        """Tell the page, as server-sent events, whenever something changed."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        watcher, task = asyncio.Event(), asyncio.current_task()
        self._telling.add(task)
        try:
            while True:
                changed = await self._workspace.next_change(watcher, HEARTBEAT_S)
                await response.write(b"data: changed\n\n" if changed else b": alive\n\n")
        except (ConnectionResetError, asyncio.CancelledError):
            return response
        finally:
            self._telling.discard(task)
            self._workspace.forget(watcher)

    async def _do(self, request: web.Request) -> web.Response:
        """Do one thing; the answer says what is wrong, by field where it is about one."""
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType  # a form of another site cannot send JSON
        try:
            errors = await self._act(request.match_info["what"], await request.json())
        except (SlackError, AppError) as error:
            errors = {"": str(error)}
        except (KeyError, TypeError, ValueError):
            raise web.HTTPBadRequest from None
        return web.json_response({"errors": errors})

    async def _act(self, what: str, asked: dict[str, Any]) -> dict[str, str]:
        workspace = self._workspace
        match what:
            case "type":
                await workspace.type(asked["channel"], asked["text"], asked.get("thread_ts"))
            case "click" if asked.get("view_id"):
                await workspace.click_in_view(
                    asked["view_id"], asked["element"], asked["block_id"], asked.get("values") or {}
                )
            case "click":
                await workspace.click(asked["channel"], asked["ts"], asked["element"], asked["block_id"])
            case "react":
                workspace.react(asked["channel"], asked["ts"], asked["name"])
            case "shortcut":
                await workspace.use_shortcut(asked["callback_id"], asked["channel"], asked.get("ts"))
            case "submit":
                return await workspace.submit(asked["view_id"], asked["values"])
            case "close":
                await workspace.close(asked["view_id"], everything=bool(asked.get("everything")))
            case "home":
                workspace.open_home()
            case "alert":
                self._alerts.post(asked["channel"], asked["name"])
            case _:
                raise web.HTTPNotFound
        return {}


def _asset(name: str) -> bytes:
    return (resources.files("bot.playground") / "page" / "dist" / name).read_bytes()
