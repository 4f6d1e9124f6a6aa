"""Programs that ask: an HTTP client with a token, against the real bot."""

from __future__ import annotations

from contextlib import asynccontextmanager

import aiohttp
import pytest
from program import TOKEN, Program
from pydantic import SecretStr


@pytest.fixture
def make_api(make_world):
    """Return a maker of worlds with an HTTP API, as an async context manager; yields the world and a program."""

    @asynccontextmanager
    async def make(**changes):
        changes = {"api_token": SecretStr(TOKEN), "api_port": 0} | changes
        async with make_world(**changes) as world, aiohttp.ClientSession() as session:
            yield world, Program(f"http://127.0.0.1:{world.bot.api.port}", session)

    return make
