"""Handing requests to workers, on a real server: each is worked on by one, and none is lost."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from bot.state import work_queue
from bot.state.redis_ledger import RedisLedger
from bot.state.work_queue import ClaimedWork, WorkQueue


@pytest.fixture
async def ledger(redis_url):
    """Return a ledger in an empty database."""
    client = Redis.from_url(redis_url)
    await client.flushdb()
    yield RedisLedger(client)
    await client.aclose()


@pytest.fixture
async def queue(redis_url, ledger, monkeypatch):
    """Return an open queue whose leases are short."""
    monkeypatch.setattr(work_queue, "LEASE_S", 0.6)
    opened = WorkQueue(redis_url)
    await opened.open()
    yield opened
    await opened.close()


async def until(condition) -> None:
    """Wait for something that another task brings about."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


async def accepted(ledger, *keys: str) -> None:
    """Write requests down."""
    for key in keys:
        await ledger.accept(key, key, "C", b"{}", 60)


async def test_what_is_put_is_worked_on_once(queue, ledger) -> None:
    """Two workers share the keys; a key that is put twice is worked on once."""
    done: list[str] = []

    async def work(key: str) -> None:
        done.append(key)
        await ledger.ended(key, "answered")

    keys = [f"k{i}" for i in range(20)]
    await accepted(ledger, *keys)
    answering = ClaimedWork(ledger, work)
    async with queue.workers(answering.answer, 4):
        for key in (*keys, *keys):
            await queue.put(key)
        await until(lambda: len(done) >= len(keys))
    assert sorted(done) == sorted(keys)


async def test_a_request_that_has_its_answer_is_left_alone(queue, ledger) -> None:
    """A key that is handed out again after its request ended makes nobody work."""
    worked: list[str] = []

    async def work(key: str) -> None:
        worked.append(key)

    await accepted(ledger, "k1")
    await ledger.ended("k1", "answered")
    await ClaimedWork(ledger, work).answer("k1")
    await ClaimedWork(ledger, work).answer("unknown")
    assert worked == []


async def test_a_worker_that_is_gone_loses_its_request_to_another(ledger, queue) -> None:
    """A claim that nobody renews ends; the next worker then does the work."""
    await accepted(ledger, "k1")
    assert await ledger.claim("k1", "a worker that was killed", 0.3)
    done = asyncio.Event()

    async def work(key: str) -> None:
        await ledger.ended(key, "answered")
        done.set()

    async with asyncio.timeout(30):
        await ClaimedWork(ledger, work).answer("k1")
    assert done.is_set()


async def test_a_process_that_does_not_work_hands_over_at_once(queue, ledger, redis_url) -> None:
    """What a receiving process puts reaches a worker through the queue: nobody has to wait for a sweep."""
    receiving = WorkQueue(redis_url)
    await receiving.open()
    done: list[str] = []

    async def work(key: str) -> None:
        done.append(key)
        await ledger.ended(key, "answered")

    async with queue.workers(ClaimedWork(ledger, work).answer, 1):
        await accepted(ledger, "k1")
        await receiving.put("k1")
        await until(lambda: done == ["k1"])
    await receiving.close()


async def test_long_work_keeps_its_claim(ledger, queue) -> None:
    """Work that takes longer than a lease is not taken over by the next worker."""
    await accepted(ledger, "k1")
    at_work, most = 0, 0
    begun = asyncio.Event()

    async def work(key: str) -> None:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        begun.set()
        await asyncio.sleep(3 * work_queue.LEASE_S)
        at_work -= 1
        await ledger.ended(key, "answered")

    first = asyncio.create_task(ClaimedWork(ledger, work).answer("k1"))
    await begun.wait()
    await ClaimedWork(ledger, work).answer("k1")
    await first
    assert most == 1


async def test_what_never_reached_the_queue_is_found_by_the_sweep(queue, ledger) -> None:
    """A process that died between accepting and handing over leaves nothing behind."""
    await accepted(ledger, "k1")
    done: list[str] = []

    async def work(key: str) -> None:
        done.append(key)
        await ledger.ended(key, "answered")

    async with queue.workers(ClaimedWork(ledger, work).answer, 1):
        sweeping = asyncio.create_task(work_queue.sweep(ledger, queue))
        await until(lambda: done == ["k1"])
        sweeping.cancel()
