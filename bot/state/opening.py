"""State: where requests and results are kept, and how they reach who works on them.

Without REDIS_URL everything is in one file, for one process: a second one waits until the first has ended, as in a
deployment that starts the new before it stops the old. With it everything is in Redis, and what one process accepts any
worker may answer.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError

from bot.cache.redis_cache import RedisStore
from bot.cache.trace_cache import MemoryStore, TraceCache, shared_secret
from bot.settings import SettingsError
from bot.state.forgetting import REMEMBERED, REQUEST, RESULT, VOTE, selected
from bot.state.hold import Hold
from bot.state.ledger import SqliteLedger
from bot.state.memory import SqliteMemory
from bot.state.redis_ledger import RedisLedger
from bot.state.redis_memory import RedisMemory
from bot.state.redis_results import RedisResults
from bot.state.results import SqliteResults
from bot.state.state_file import StateError
from bot.state.work_queue import WorkQueue

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.state.forgetting import Held, Selection
    from bot.state.ledger import Ledger
    from bot.state.memory import Memory
    from bot.state.results import Results

TIDY_S = 6 * 3600.0
CONNECTIONS = 32  # of one process; who finds none free waits for it instead of failing
CONNECT_S = 1.0
ANSWER_S = 5.0
HELD_S = 30.0  # for as long a process may end that was told to
TRIES = 2  # beyond the first: the client's ten would keep an acknowledgement waiting for seconds


log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Shared:
    """What processes on several machines share."""

    ledger: RedisLedger
    queue: WorkQueue


@dataclass(frozen=True, slots=True)
class State:
    """The state of one process; `shared` is None when nothing is shared."""

    ledger: Ledger
    results: Results
    memory: Memory
    cache: TraceCache | None = None
    shared: Shared | None = None
    hold: Hold | None = None

    @property
    def queue(self) -> WorkQueue | None:
        """Where accepted requests go; None when whoever accepts them answers them."""
        return self.shared.queue if self.shared else None

    async def start(self) -> None:
        """Connect; raises `SettingsError` when there is nobody to connect to."""
        if self.hold is not None:
            await self.hold.take(HELD_S)
        if self.shared is None:
            return
        try:
            await self.ledger.check()  # the queue itself would wait for a server for ever
            await self.shared.queue.open()
        except (StateError, RedisError, OSError) as error:
            raise SettingsError(f"REDIS_URL: cannot connect: {str(error)[:200]}") from None

    async def tidy(self) -> None:
        """Drop what was kept long enough."""
        for store in (self.memory, self.results, self.ledger):
            await store.tidy()

    async def selected(self, selection: Selection) -> list[Held]:
        """List what a selection takes."""
        held = [its for store in (self.memory, self.results, self.ledger) for its in await store.held()]
        return selected(held, selection)

    async def forget(self, selection: Selection) -> list[Held]:
        """Drop what a selection takes; returns it."""
        gone = await self.selected(selection)
        await self.memory.forget([its for its in gone if its.what == REMEMBERED])
        await self.results.forget([its for its in gone if its.what in (RESULT, VOTE)])
        await self.ledger.forget([its for its in gone if its.what == REQUEST])
        return gone

    async def aclose(self) -> None:
        """Let go of everything."""
        if self.shared is not None:
            await self.shared.queue.close()
        await self.memory.aclose()
        await self.results.aclose()
        await self.ledger.aclose()
        if self.cache is not None:
            await self.cache.aclose()
        if self.hold is not None:
            self.hold.let_go()


async def keep_tidy(state: State) -> None:
    """Drop what was kept long enough, now and every few hours; a file that cannot be written is tried again."""
    while True:
        try:
            await state.tidy()
        except Exception:
            log.exception("cannot tidy up")
        await asyncio.sleep(TIDY_S)


def open_state(settings: Settings) -> State:
    """Open the state that the settings name; raises `StateError` or `sqlite3.Error` for a file that cannot be used."""
    if settings.redis_url is None:
        file, keep = settings.state_file, settings.retention
        return State(
            SqliteLedger(file, keep=keep), SqliteResults(file, keep=keep), SqliteMemory(file, keep=keep),
            cache=_open_cache(settings), hold=Hold(file.with_name(f"{file.name}.lock")),
        )  # fmt: skip
    url = settings.redis_url.get_secret_value()
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS,
        timeout=ANSWER_S,
        socket_connect_timeout=CONNECT_S,
        socket_timeout=ANSWER_S,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), TRIES),
    )
    redis = Redis.from_pool(pool)  # which is closed with its client
    keep = settings.retention
    ledger = RedisLedger(redis, keep=keep)
    return State(
        ledger, RedisResults(redis, keep=keep), RedisMemory(redis, keep=keep), _open_cache(settings),
        Shared(ledger, WorkQueue(url)),
    )  # fmt: skip


def _open_cache(settings: Settings) -> TraceCache | None:
    """Open the cache that the settings name; None where nothing is to be kept."""
    its = settings.cache
    if not its.bytes or not (its.traces_s or its.populations_s):
        return None
    url = settings.redis_url
    store = MemoryStore(its.bytes) if url is None else RedisStore(url.get_secret_value(), its.bytes)
    return TraceCache(store, shared_secret(settings), its)
