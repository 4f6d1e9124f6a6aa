"""Accepted requests handed to worker processes through Redis.

    web, socket   accept in the ledger --> put(key)
    worker                                   take a turn --> claim --> work(key) --> release
                                                               renewed while it works

The queue (docket) holds keys only; what was asked stands in the ledger. It hands a key out again when the worker that
had it is gone. A key is a turn: there are as many as requests, and each is used for the request whose turn it is by
then, so that who asks for much does not keep others waiting. Two workers may hold one turn for a while (one of them
stalled, or draining past its lease): the claim in the ledger says who works. What was accepted but never reached the
queue is found by the sweep.
"""

from __future__ import annotations

import asyncio
import uuid
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from docket import Worker

    from bot.state.redis_ledger import RedisLedger

NAME = "compare-traces"
TASK = "answer"
LEASE_S = 6.0  # a worker that is gone for so long has lost its requests to others
SWEEP_S = 15.0
CHECK_S = 0.05  # how often a worker looks for work; the library's 250 ms delay every burst

log = structlog.get_logger()


async def _elsewhere(key: str) -> None:
    """Say that a request came back to a process that only hands over: none of those takes work."""
    raise RuntimeError(f"{key} is for a worker")


class WorkQueue:
    """Keys of accepted requests, on their way to a worker."""

    def __init__(self, url: str) -> None:
        from docket import Docket  # noqa: PLC0415 - loaded only by processes that share their work

        self._docket = Docket(NAME, url)
        self._docket.register(_elsewhere, names=[TASK])  # a task without a function cannot be put
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
        from docket import Worker  # noqa: PLC0415 - see above

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
        # A task of its own: the library wants to end in the context in which it began, and whoever starts a process is
        # not always who stops it.
        ready, ending = asyncio.Event(), asyncio.Event()

        async def serve() -> None:
            async with worker:
                running = asyncio.create_task(worker.run_forever())
                ready.set()
                await ending.wait()
                running.cancel()
                with suppress(asyncio.CancelledError):
                    await running

        serving = asyncio.create_task(serve())
        await asyncio.wait((serving, asyncio.ensure_future(ready.wait())), return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            await serving  # which tells why
        try:
            yield worker
        finally:
            ending.set()
            await serving


class ClaimedWork:
    """What a worker process does with each key."""

    def __init__(self, ledger: RedisLedger, work: Callable[[str], Awaitable[None]]) -> None:
        self._ledger = ledger
        self._work = work

    async def answer(self, turn: str) -> None:
        """Work on the request whose turn it is, alone; when all are worked on, wait until this turn's own one ends."""
        worker = uuid.uuid4().hex
        while (key := await self._ledger.claim_next(worker, LEASE_S)) is None:
            if not await self._waits(turn):
                return
            await asyncio.sleep(LEASE_S / 3)
        await self._claimed(key, worker)

    async def end(self, key: str) -> None:
        """Work on one request, whosever turn it is, unless somebody does."""
        worker = uuid.uuid4().hex
        if await self._ledger.claim(key, worker, LEASE_S):
            await self._claimed(key, worker)

    async def _waits(self, key: str) -> bool:
        entry = await self._ledger.entry(key)
        return entry is not None and entry.state in ("accepted", "posted")

    async def _claimed(self, key: str, worker: str) -> None:
        try:
            if await self._waits(key):
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


async def end_overdue(ledger: RedisLedger, work: ClaimedWork, oldest_s: float, clock: Callable[[], float]) -> None:
    """End what has waited too long for a worker, now and then, for ever: whoever works on it says so."""
    while True:
        try:
            for entry in await ledger.unfinished():
                if clock() - entry.accepted_at > oldest_s:
                    await work.end(entry.key)
        except RedisError as error:
            log.warning("cannot look for what is overdue", error=str(error)[:200])
        await asyncio.sleep(SWEEP_S)
