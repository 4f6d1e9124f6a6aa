"""Several processes on one Redis: one receives, others answer. Real server, real bots, one local Slack."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from world import CHANNEL

from bot.app import Bot
from bot.settings import SettingsError


@pytest.fixture
def shared(make_world, redis_url, flushed):
    """Return a maker of worlds whose state is in Redis."""
    return lambda **changes: make_world(redis_url=SecretStr(redis_url), **changes)


@pytest.fixture
async def flushed(redis_url):
    """Empty the database."""
    async with Redis.from_url(redis_url) as client:
        await client.flushdb()


def ids(samples) -> tuple[str, str]:
    """Return two traces that differ."""
    pair = next(sample for sample in samples.pairs if sample.name == "slow-query")
    return pair.baseline, pair.suspect


async def worker_of(world, **changes) -> Bot:
    """Start a worker beside a world's receiving process."""
    worker = Bot(world.bot.settings.model_copy(update={"ops_port": 0, **changes}), sleep=world.bot.delivery._sleep)
    await worker.start_worker()
    return worker


async def until_answered(world, count: int = 1) -> list[dict]:
    """Wait until so many answers stand in the channel, each with its thread."""
    async with asyncio.timeout(60):
        while (await world.bot.ledger.pending()).count or len(world.slack.roots()) < count:
            await asyncio.sleep(0.02)
    return world.slack.roots()


async def test_a_worker_answers_what_another_process_received(shared, samples) -> None:
    """The receiving process only writes down and hands over; the answer comes from the worker, complete."""
    a, b = ids(samples)
    async with shared() as world:
        assert await world.command(f"{a} {b}") == (200, "")
        await world.bot.jobs.idle()
        assert world.slack.roots() == []
        worker = await worker_of(world)
        (root,) = await until_answered(world)
        await worker.stop()
        assert "slower" in root["text"]
        assert len(world.slack.thread(root["ts"])) >= 2


async def test_two_workers_give_each_answer_once(shared, samples) -> None:
    """Whoever takes a request, it has one root message; a question that is asked twice is answered once."""
    a, b = ids(samples)
    async with shared() as world:
        workers = [await worker_of(world), await worker_of(world)]
        questions = [f"{a} {b}", f"{b} {a}"]
        for question in (*questions, *questions):
            await world.command(question)
        roots = await until_answered(world, 2)
        for worker in workers:
            await worker.stop()
        assert len(roots) == 2


async def test_what_was_accepted_before_any_worker_ran_is_answered_by_the_first(shared, samples) -> None:
    """Handing over failed, or the queue was emptied: the ledger still knows, and the first worker finds it."""
    a, b = ids(samples)
    async with shared() as world:

        async def lost(_: str) -> None:
            raise ConnectionError("no queue")

        world.bot.state.queue.put = lost
        await world.command(f"{a} {b}")
        await world.bot.jobs.idle()
        worker = await worker_of(world)
        assert len(await until_answered(world)) == 1
        await worker.stop()


async def test_a_worker_without_shared_state_says_what_it_needs(make_world) -> None:
    """A worker that could receive nothing does not start."""
    async with make_world(start=False) as world:
        with pytest.raises(SettingsError, match="REDIS_URL"):
            await world.bot.start_worker()


async def test_a_server_that_is_not_there_is_said_at_the_start(make_world) -> None:
    """A wrong address is a sentence, not a process that waits."""
    async with make_world(start=False, redis_url=SecretStr("redis://127.0.0.1:1")) as world:
        with pytest.raises(SettingsError, match="REDIS_URL"):
            await world.bot.start_http()


async def test_history_and_details_work_in_the_process_that_did_not_compute_them(shared, samples) -> None:
    """What a worker answered is in the history, and its result can be opened again, from any process."""
    a, b = ids(samples)
    async with shared() as world:
        worker = await worker_of(world)
        await world.command(f"{a} {b}")
        await until_answered(world)
        await worker.stop()
        (entry,) = await world.bot.ledger.recent(CHANNEL, 5)
        result = await world.bot.results.load(entry.key)
        assert result.answer.comparison.suspect.trace_id == b
