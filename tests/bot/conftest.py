"""Fixtures of the bot: a world with the real app in it."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from world import FaultySlack, World, no_sleep, serve, settings_for

from bot.app import Bot
from bot.playground.trace_api import routes


@pytest.fixture
def make_world(samples, tmp_path):
    """Return a maker of worlds, as an async context manager; keywords change settings."""

    @asynccontextmanager
    async def make(*, start: bool = True, slack: FaultySlack | None = None, **changes):
        slack = slack or FaultySlack()
        app = web.Application()
        app.add_routes(slack.routes())
        app.add_routes(routes(samples))
        async with serve(app) as url:
            slack.base_url = url
            bot = Bot(settings_for(url, tmp_path / "ledger.sqlite3", **changes), sleep=no_sleep)
            if start:
                await bot.start_http()
            try:
                yield World(slack, bot, url)
                assert slack.objections == []
            finally:
                await bot.stop()
                await slack.aclose()

    return make


@pytest.fixture
async def world(make_world):
    """Return a running bot in a quiet world."""
    async with make_world() as made:
        yield made
