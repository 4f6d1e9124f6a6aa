"""Accepted requests handed to worker processes through Redis.

    web, socket   accept in the ledger --> put(key)
    worker                                   take --> claim --> work(key) --> release
                                                        renewed while it works

The queue (docket) holds keys only; what was asked stands in the ledger. It hands a key out again when the worker that
had it is gone. Two workers may hold one key for a while (one of them stalled, or draining past its lease): the claim in
the ledger says who works. What was accepted but never reached the queue is found by the sweep.
"""

from __future__ import annotations

import asyncio
import uuid
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from docket import Docket, Worker
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from bot.redis_ledger import RedisLedger

NAME = "compare-traces"
LEASE_S = 6.0  # a worker that is gone for so long has lost its requests to others
SWEEP_S = 15.0
CHECK_S = 0.05  # how often a worker looks for work; the library's 250 ms delay every burst

log = structlog.get_logger()


class WorkQueue:
    """Keys of accepted requests, on their way to a worker."""

    def __init__(self, url: str) -> None:
        self._docket = Docket(NAME, url)
        self._connected = AsyncExitStack()

    async def open(self) -> None:
        """Connect."""
        await self._connected.enter_async_context(self._docket)

    async def close(self) -> None:
        """Disconnect."""
        await self._connected.aclose()

    async def put(self, key: str) -> None:
        """Hand a request to some worker; a key that is on its way or being worked on is not put twice."""
        await self._docket.add(TASK, key=key)(key)

    @asynccontextmanager
    async def workers(self, answer: Callable[[str], Awaitable[None]], concurrency: int) -> AsyncIterator[Worker]:
        """Take keys and answer them, so many at once, until the context ends; running ones are then let finish."""
        self._docket.register(answer, names=[TASK])
        worker = Worker(
            self._docket,
            concurrency=concurrency,
            redelivery_timeout=timedelta(seconds=LEASE_S),
            reconnection_delay=timedelta(seconds=1),
            minimum_check_interval=timedelta(seconds=CHECK_S),
            scheduling_resolution=timedelta(seconds=CHECK_S),
            schedule_automatic_tasks=False,
        )
        async with worker:
            running = asyncio.create_task(worker.run_forever())
            try:
                yield worker
            finally:
                running.cancel()
                with suppress(asyncio.CancelledError):
                    await running


TASK = "answer"


class ClaimedWork:
    """What a worker process does with each key."""

    def __init__(self, ledger: RedisLedger, work: Callable[[str], Awaitable[None]]) -> None:
        self._ledger = ledger
        self._work = work

    async def answer(self, key: str) -> None:
        """Work on a request unless it has its answer, alone: whoever else works on it is waited for."""
        worker = uuid.uuid4().hex
        while not await self._ledger.claim(key, worker, LEASE_S):  # noqa: ASYNC110 - the other one is elsewhere
            await asyncio.sleep(LEASE_S / 3)
        try:
            entry = await self._ledger.entry(key)
            if entry is None or entry.state not in ("accepted", "posted"):
                return
            await self._renewed(key, worker)
        except RedisError as error:
            log.warning("left for the next try", key=key, error=str(error)[:200])  # the sweep puts it again
        finally:
            with suppress(RedisError):
                await self._ledger.release(key, worker)

    async def _renewed(self, key: str, worker: str) -> None:
        """Work while the claim is renewed; stop when another worker has it."""
        work = asyncio.ensure_future(self._work(key))
        try:
            while True:
                await asyncio.wait([work], timeout=LEASE_S / 3)
                if work.done():
                    return work.result()
                with suppress(RedisError):  # a server that comes back finds the claim free, and it is taken again
                    if not await self._ledger.claim(key, worker, LEASE_S):
                        log.warning("another worker has taken over", key=key)
                        return None
        finally:
            if not work.done():
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)


async def sweep(ledger: RedisLedger, queue: WorkQueue) -> None:
    """Put what was accepted and has no answer into the queue again, now and then, for ever."""
    while True:
        try:
            for entry in await ledger.unfinished():
                await queue.put(entry.key)
        except RedisError as error:
            log.warning("cannot sweep", error=str(error)[:200])
        await asyncio.sleep(SWEEP_S)
