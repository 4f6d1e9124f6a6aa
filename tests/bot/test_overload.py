"""More than can be done: who asks is told so at once, nobody takes all, and nothing waits for ever. On both runners."""

from __future__ import annotations

import asyncio
import time

import msgspec
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from world import CHANNEL

from bot.errors import SourceError
from bot.requests.request import CompareRequest, Origin, Payload, TraceRef
from bot.settings import Limits
from bot.state import work_queue


@pytest.fixture(params=["one process", "receiving process"])
async def make(request, make_world, redis_url, monkeypatch):
    """Return a maker of worlds with one process, or with a receiving one whose workers are not there."""
    if request.param == "one process":
        return make_world
    monkeypatch.setattr(work_queue, "SWEEP_S", 0.05)
    async with Redis.from_url(redis_url) as client:
        await client.flushdb()
    return lambda **changes: make_world(redis_url=SecretStr(redis_url), **changes)


def held(world) -> asyncio.Event:
    """Keep every fetch waiting until the event is set; then nothing is found."""
    released = asyncio.Event()

    async def fetch(*_args, **_kwargs):
        await released.wait()
        raise SourceError("trace-not-found", source="jaeger", trace="x")

    world.bot.sources.fetch = fetch
    return released


async def asked(world, number: int, user: str, channel: str = CHANNEL) -> str:
    """Ask a question of one's own; returns what was said to that, "" when it was accepted."""
    before = len(world.slack.whispers())
    accepted = (await world.bot.ledger.pending()).count
    status, said = await world.command(
        f"{number:032x} {number + 1000:032x}", user_id=user, channel_id=channel,
        response_url=f"{world.url}/response/{channel}/x",
    )  # fmt: skip
    assert status == 200
    if said:
        return said
    async with asyncio.timeout(30):
        while True:
            if (await world.bot.ledger.pending()).count > accepted:
                return ""
            if len(world.slack.whispers()) > before:
                return world.slack.whispers()[-1]
            await asyncio.sleep(0.01)


async def test_one_person_and_one_channel_may_take_only_so_much(make) -> None:
    """Whoever has enough under way is told when to come back; others are let in, until there is no room at all."""
    limits = Limits(concurrent=1, waiting=5, per_person=2, per_channel=4, missing_retry_s=0)
    async with make(limits=limits) as world:
        released = held(world)
        assert [await asked(world, n, "U1") for n in (1, 2)] == ["", ""]
        assert "2 other comparisons of yours; try again in 10 s" in await asked(world, 3, "U1")
        await world.command(f"{1:032x} {1001:032x}", user_id="U1")  # a repetition takes no room
        async with asyncio.timeout(30):
            while not any("a moment ago" in said for said in world.slack.whispers()):
                await asyncio.sleep(0.01)
        assert [await asked(world, n, f"U{n}") for n in (4, 5)] == ["", ""]
        assert "4 other comparisons for this channel; try again in 10 s" in await asked(world, 6, "U6")
        assert [await asked(world, n, f"U{n}", "C0OTHER") for n in (7, 8)] == ["", ""]
        assert "busy with other comparisons; try again in 10 s" in await asked(world, 9, "U9", "C0OTHER")
        released.set()


async def test_when_to_come_back_follows_from_how_long_others_wait(make) -> None:
    """With a queue that takes half a minute nobody is sent back after ten seconds."""
    async with make(limits=Limits(per_person=1, missing_retry_s=0)) as world:
        released = held(world)
        world.bot.ledger._clock = lambda: time.time() - 33
        assert await asked(world, 1, "U1") == ""
        world.bot.ledger._clock = time.time
        assert "try again in 33 s" in await asked(world, 2, "U1")
        released.set()


async def test_a_request_that_nobody_took_up_ends_in_a_sentence(make) -> None:
    """No worker is there, or the bot was away for long: after some minutes the person is told, once."""
    async with make(limits=Limits(oldest_s=200)) as world:
        payload = Payload(
            request=CompareRequest(baseline=TraceRef(trace_id="a" * 32), suspect=TraceRef(trace_id="b" * 32)),
            origin=Origin(team="T1", channel=CHANNEL, user="U1", user_name="alice"),
        )
        world.bot.ledger._clock = lambda: time.time() - 201
        await world.bot.ledger.accept("k", "q", CHANNEL, msgspec.json.encode(payload), 60)
        world.bot.ledger._clock = time.time
        if world.bot.state.shared is None:
            await world.bot.jobs.resume()
        async with asyncio.timeout(30):
            while (await world.bot.ledger.pending()).count:
                await asyncio.sleep(0.01)
        await world.bot.jobs.idle()
        (said,) = world.slack.whispers()
        assert "within 200 s" in said
        assert world.slack.roots() == []


async def test_a_comparison_that_takes_too_long_is_given_up(make_world) -> None:
    """However long each step may take: from its acceptance on, a request has so much time in all."""
    async with make_world(limits=Limits(oldest_s=0.2, deadline_s=60)) as world:
        released = held(world)
        await world.command(f"{1:032x} {2:032x}")
        await world.settled()
        (said,) = world.slack.whispers()
        assert "gave it up" in said
        assert world.slack.roots() == []
        released.set()
