"""The client of Slack's Web API: what goes over the wire, and how much of it at once."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from aiohttp import web
from world import serve

from bot.slack import client
from bot.slack.client import WatchedClient


@asynccontextmanager
async def connected(handler):
    """Yield a client of a Slack in which each call is answered by `handler`."""
    app = web.Application()
    app.add_routes([web.post("/api/{method}", handler)])
    async with serve(app) as url:
        watched = WatchedClient("xoxb-1", base_url=f"{url}/api/", retry_handlers=[])
        try:
            yield watched
        finally:
            await watched.aclose()


async def test_no_more_than_a_few_calls_are_under_way_at_once() -> None:
    """Of many calls at one moment a bounded number is made; the others follow as those end, and all are answered."""
    under_way, full, most = 0, asyncio.Event(), []

    async def answer(_: web.Request) -> web.Response:
        nonlocal under_way
        under_way += 1
        most.append(under_way)
        if under_way == client.AT_ONCE:
            full.set()
        await full.wait()
        under_way -= 1
        return web.json_response({"ok": True})

    async with connected(answer) as slack:
        answers = await asyncio.gather(*(slack.auth_test() for _ in range(3 * client.AT_ONCE)))
    assert all(answer["ok"] for answer in answers)
    assert max(most) == client.AT_ONCE


async def test_no_connection_is_used_for_a_second_call() -> None:
    """A server may close a connection as the next call is sent: nobody could tell whether that call was heard."""
    connections = []

    async def answer(request: web.Request) -> web.Response:
        connections.append(request.transport.get_extra_info("peername"))
        return web.json_response({"ok": True})

    async with connected(answer) as slack:
        for _ in range(3):
            await slack.auth_test()
    assert len(set(connections)) == 3


async def test_cookies_are_not_sent_back() -> None:
    """What a server sets for one workspace is not told to it with the token of another."""
    cookies = []

    async def answer(request: web.Request) -> web.Response:
        cookies.append(dict(request.cookies))
        response = web.json_response({"ok": True})
        response.set_cookie("b", "browser-of-ours")
        return response

    async with connected(answer) as slack:
        for _ in range(2):
            await slack.auth_test()
    assert cookies == [{}, {}]
