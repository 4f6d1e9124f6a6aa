"""Results and feedback in Redis: what `bot.results` keeps in a file, for any number of processes.

    {ct}:result:<key>     string  one result; expires with its buttons
    {ct}:asked:<user>     zset    the results that somebody asked for, by time
    {ct}:feedback:<key>   hash    user -> "1" useful, "0" not; lives for a year
    {ct}:feedback         hash    useful, not_useful: all of them

The server's memory is bounded by the lifetime of results (about 10 KB each) and by its own `maxmemory`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from bot.results import KEEP_DAYS, KEEP_FEEDBACK_S, Feedback, packed, unpacked

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from bot.results import Kept

PREFIX = "{ct}:"
KEEP_ASKED = 50  # results of one person that can be listed

RATE = """
local before = redis.call('HGET', KEYS[1], ARGV[1])
if before ~= ARGV[2] then
  local name = {['1'] = 'useful', ['0'] = 'not_useful'}
  if before then redis.call('HINCRBY', KEYS[2], name[before], -1) end
  redis.call('HINCRBY', KEYS[2], name[ARGV[2]], 1)
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
return redis.call('HVALS', KEYS[1])
"""


class RedisResults:
    """Results and feedback in Redis (or Valkey); the client must answer with bytes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._rate = redis.register_script(RATE)

    async def keep(self, key: str, result: Kept) -> None:
        """Keep a result until its buttons are too old."""
        life_s = KEEP_DAYS * 24 * 3600
        theirs = f"{PREFIX}asked:{result.origin.user}"
        async with self._redis.pipeline(transaction=True) as both:
            both.set(f"{PREFIX}result:{key}", packed(result), ex=life_s)
            both.zadd(theirs, {key: time.time()})
            both.zremrangebyrank(theirs, 0, -1 - KEEP_ASKED)
            both.expire(theirs, life_s)
            await both.execute()

    async def load(self, key: str) -> Kept | None:
        """Return a result; None when it is not kept any more, or was kept by a version that said it differently."""
        body: Any = await self._redis.get(f"{PREFIX}result:{key}")
        return None if body is None else unpacked(body)

    async def of(self, user: str, limit: int) -> list[str]:
        """Return the keys of what somebody asked for, newest first."""
        keys: Any = await self._redis.zrevrange(f"{PREFIX}asked:{user}", 0, limit - 1)
        return [key.decode() for key in keys]

    async def rate(self, key: str, user: str, *, useful: bool) -> Feedback:
        """Write down what somebody thinks of an answer; a second word of the same person replaces the first."""
        names = [f"{PREFIX}feedback:{key}", f"{PREFIX}feedback"]
        return _counted(await self._rate(keys=names, args=[user, int(useful), KEEP_FEEDBACK_S]))

    async def feedback(self, key: str) -> Feedback:
        """Return what people thought of one answer."""
        return _counted(await self._redis.hvals(f"{PREFIX}feedback:{key}"))

    async def totals(self) -> Feedback:
        """Return what people thought of all answers."""
        useful, not_useful = await self._redis.hmget(f"{PREFIX}feedback", ["useful", "not_useful"])
        return Feedback(useful=int(useful or 0), not_useful=int(not_useful or 0))

    async def aclose(self) -> None:
        """Do nothing: the connections are the ledger's, which closes them."""


def _counted(words: list[Any]) -> Feedback:
    return Feedback(useful=words.count(b"1"), not_useful=words.count(b"0"))
