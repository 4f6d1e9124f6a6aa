"""The page's own routes, as a browser uses them."""

from __future__ import annotations

import asyncio

import aiohttp

from bot.playground.server import Playground


async def test_a_page_that_is_open_does_not_hold_up_the_end(tmp_path) -> None:
    """A page hears of changes in an answer that never ends; it does when the playground is stopped."""
    playground = Playground(0, tmp_path / "ledger.sqlite3")
    await playground.start()
    playground._runner._shutdown_timeout = 600  # for requests that want to end by themselves
    async with (
        asyncio.timeout(60),
        aiohttp.ClientSession() as session,
        session.get(f"{playground.url}/changes") as changes,
    ):
        await playground.workspace.type("C0INCIDENT", "Checkout got slow")
        assert await changes.content.readline() == b"data: changed\n"
        await playground.workspace.app.told()
        await playground.stop()
        assert b"data" not in await changes.content.read()
