"""Memory in Redis: what `bot.state.memory` keeps in a file, for any number of processes.

    {ct}:remembered:<key>                string  one answer; expires
    {ct}:seen:<team>:<fingerprint>       zset    the answers that named a cause, by time, the newest `MOST_SEEN`
    {ct}:given:<team>:<channel>          zset    the answers in a channel, by time, the newest `MOST_GIVEN`

Names in the lists outlive what they name; they are passed over, and go when the list is written to or expires.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from bot.state.memory import DAY_S, DEFAULT, held_as, lifetime_s, read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from redis.asyncio import Redis

    from bot.settings import Retention
    from bot.state.forgetting import Held
    from bot.state.memory import Answered

PREFIX = "{ct}:"
MOST_SEEN = 200
MOST_GIVEN = 2_000


class RedisMemory:
    """Answers in Redis (or Valkey); the client must answer with bytes."""

    def __init__(self, redis: Redis, clock: Callable[[], float] = time.time, keep: Retention = DEFAULT) -> None:
        self._redis = redis
        self._clock = clock
        self._keep = keep
        self._life_s = round(lifetime_s(keep))

    async def remember(self, answered: Answered) -> None:
        """Remember an answer; the same one again replaces it."""
        lists = [(f"{PREFIX}seen:{answered.team}:{name}", MOST_SEEN) for name in answered.fingerprints]
        lists.append((f"{PREFIX}given:{answered.team}:{answered.channel}", MOST_GIVEN))
        async with self._redis.pipeline(transaction=True) as whole:
            whole.set(f"{PREFIX}remembered:{answered.key}", msgspec.msgpack.encode(answered), ex=self._life_s)
            for name, most in lists:
                whole.zadd(name, {answered.key: answered.at})
                whole.zremrangebyscore(name, "-inf", self._clock() - self._life_s)
                whole.zremrangebyrank(name, 0, -1 - most)
                whole.expire(name, self._life_s)
            await whole.execute()

    async def seen(self, team: str, fingerprint: str, limit: int) -> list[Answered]:
        """Return the answers in a workspace that named a cause, newest first."""
        return await self._newest(f"{PREFIX}seen:{team}:{fingerprint}", self._keep.memory_days, limit)

    async def given(self, team: str, channel: str, limit: int) -> list[Answered]:
        """Return the answers in a channel, newest first, as long as `history` lists them."""
        return await self._newest(f"{PREFIX}given:{team}:{channel}", self._keep.history_days, limit)

    async def _newest(self, name: str, days: int, limit: int) -> list[Answered]:
        oldest = self._clock() - days * DAY_S
        keys: Any = await self._redis.zrevrangebyscore(name, "+inf", oldest, start=0, num=limit)
        return await self._read([f"{PREFIX}remembered:{key.decode()}" for key in keys])

    async def _read(self, names: Sequence[Any]) -> list[Answered]:
        bodies: Any = await self._redis.mget(names) if names else []
        return read(body for body in bodies if body is not None)

    async def tidy(self) -> None:
        """Do nothing: what is kept here expires by itself."""

    async def held(self) -> list[Held]:
        """List what is remembered."""
        names = [name async for name in self._redis.scan_iter(f"{PREFIX}remembered:*", count=500)]
        return [held_as(answered) for answered in await self._read(names)]

    async def forget(self, held: Sequence[Held]) -> None:
        """Drop some of it; the lists of causes pass over what is gone."""
        for its in held:
            await self._redis.delete(f"{PREFIX}remembered:{its.key}")
            await self._redis.zrem(f"{PREFIX}given:{its.team}:{its.channel}", its.key)

    async def aclose(self) -> None:
        """Do nothing: the connections are the ledger's, which closes them."""
