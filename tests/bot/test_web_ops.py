"""Health and metrics: on a port of their own, and meaning what they say."""

from __future__ import annotations

import asyncio
import sqlite3

import aiohttp
import pytest
from pydantic import SecretStr
from world import FaultySlack, World

from bot.settings import SettingsError
from bot.slack import identity


async def get(world: World, path: str, port: int | None = None) -> tuple[int, str]:
    """Ask the operators' port, or another one; returns status and text."""
    url = f"http://127.0.0.1:{port or world.bot.ops.port}{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.text()


async def test_a_bot_that_is_up_is_alive_and_ready(world) -> None:
    """Both say so, in a word."""
    assert await get(world, "/healthz") == (200, "ok\n")
    assert await get(world, "/readyz") == (200, "ready\n")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_nothing_of_it_is_served_where_slack_comes_in(world, path) -> None:
    """The port that the world can reach tells nothing about the inside."""
    assert (await get(world, path, world.bot.web.port))[0] == 404


async def test_slacks_requests_are_not_taken_at_the_operators_port(world) -> None:
    """There is one way in."""
    url = f"http://127.0.0.1:{world.bot.ops.port}/slack/events"
    async with aiohttp.ClientSession() as session, session.post(url, data="x") as response:
        assert response.status == 404


async def test_unless_it_is_set_only_the_machine_itself_can_ask(make_world) -> None:
    """Health and metrics, and the HTTP API: nobody answers at any other address of the machine."""
    async with make_world(api_token=SecretStr("t0ken-of-a-program-that-asks"), api_port=0) as world:
        for server in (world.bot.ops, world.bot.api):
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.close()
            with pytest.raises(OSError, match="Connect call failed"):
                await asyncio.open_connection("127.0.0.2", server.port)


async def test_a_port_that_is_taken_is_said_with_its_variable(world, make_world) -> None:
    """The sentence names what to change."""
    async with make_world(start=False, ops_port=world.bot.ops.port) as second:
        with pytest.raises(SettingsError, match=r"OPS_HOST, OPS_PORT: cannot listen on 127\.0\.0\.1"):
            await second.bot.start_http()


async def test_a_bot_that_drains_is_alive_and_not_ready(make_world) -> None:
    """Before the start is complete and while running comparisons end, no requests should come."""
    async with make_world() as world:
        ending = asyncio.Event()
        world.bot.jobs.start(ending.wait())
        stopping = asyncio.create_task(world.bot.stop())
        while world.bot._running:
            await asyncio.sleep(0)
        status, text = await get(world, "/readyz")
        assert (status, text) == (503, "not ready: not receiving: starting or stopping\n")
        assert (await get(world, "/healthz"))[0] == 200
        ending.set()
        await stopping


async def test_a_ledger_that_cannot_be_written_is_not_ready(make_world) -> None:
    """A full or read-only disk: nothing could be accepted."""
    async with make_world() as world:
        world.bot.ledger._db.execute("PRAGMA query_only=1")
        status, text = await get(world, "/readyz")
        assert status == 503
        assert "the ledger cannot be written (attempt to write a readonly database)" in text
        world.bot.ledger._db.execute("PRAGMA query_only=0")
        assert (await get(world, "/readyz"))[0] == 200


async def test_a_ledger_that_hangs_is_not_ready_and_does_not_hang_the_probe(make_world) -> None:
    """Another program holds the file: the answer comes all the same."""
    async with make_world() as world:
        other = sqlite3.connect(world.bot.settings.state_file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        status, text = await get(world, "/readyz")
        other.execute("ROLLBACK")
        other.close()
        assert status == 503
        assert "the ledger cannot be written (it takes too long)" in text


async def test_a_token_that_slack_takes_no_more_is_not_ready(make_world, monkeypatch) -> None:
    """Somebody removed the app from the workspace: asked again and again, Slack says so, and later takes it back."""
    monkeypatch.setattr(identity, "AGAIN_S", 0.01)
    slack = FaultySlack()
    async with make_world(slack=slack) as world:
        slack.faults = [("auth.test", "token_revoked")] * 10_000
        async with asyncio.timeout(10):
            while (await get(world, "/readyz"))[0] == 200:
                await asyncio.sleep(0.01)
        assert (await get(world, "/readyz"))[1] == "not ready: Slack refuses SLACK_BOT_TOKEN (token_revoked)\n"
        slack.faults = []
        async with asyncio.timeout(10):
            while (await get(world, "/readyz"))[0] == 503:
                await asyncio.sleep(0.01)


async def test_a_slack_that_was_down_at_the_start_is_asked_until_it_confirms_the_token(make_world, monkeypatch) -> None:
    """Not ready until then; once confirmed, a Slack that is down does not make the token bad."""
    monkeypatch.setattr(identity, "SOON_S", 0.01)
    monkeypatch.setattr(identity, "AGAIN_S", 0.01)
    slack = FaultySlack()
    slack.faults = [("auth.test", "500")] * 10_000
    async with make_world(slack=slack) as world:
        assert await get(world, "/readyz") == (503, "not ready: Slack has not confirmed SLACK_BOT_TOKEN yet\n")
        slack.faults = []
        async with asyncio.timeout(10):
            while (await get(world, "/readyz"))[0] == 503:
                await asyncio.sleep(0.01)
        slack.faults = [("auth.test", "500")] * 10_000
        async with asyncio.timeout(10):
            while len(slack.faults) > 9_998:
                await asyncio.sleep(0.01)
        assert (await get(world, "/readyz"))[0] == 200
