"""Results and feedback in Redis: what `bot.state.results` keeps in a file, for any number of processes.

    {ct}:result:<key>     string  one result; expires with its buttons
    {ct}:asked:<user>     zset    the results that somebody asked for, by time
    {ct}:feedback:<key>   hash    user -> "1" useful, "0" not; expires after its last vote
    {ct}:feedback         hash    useful, not_useful: all of them

The server's memory is bounded by the lifetime of results (about 10 KB each) and by its own `maxmemory`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from bot.state.forgetting import RESULT, VOTE, Held
from bot.state.results import DAY_S, DEFAULT, Feedback, held_as, packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis.asyncio import Redis

    from bot.inquiry.result import Kept
    from bot.settings import Retention

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


# A vote that is forgotten no longer counts.
UNRATE = """
local vote = redis.call('HGET', KEYS[1], ARGV[1])
if vote then
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('HINCRBY', KEYS[2], vote == '1' and 'useful' or 'not_useful', -1)
end
"""


class RedisResults:
    """Results and feedback in Redis (or Valkey); the client must answer with bytes."""

    def __init__(self, redis: Redis, keep: Retention = DEFAULT) -> None:
        self._redis = redis
        self._keep_s = keep.results_days * DAY_S
        self._keep_votes_s = keep.votes_days * DAY_S
        self._rate = redis.register_script(RATE)
        self._unrate = redis.register_script(UNRATE)

    async def keep(self, key: str, result: Kept) -> None:
        """Keep a result until its buttons are too old."""
        theirs = f"{PREFIX}asked:{result.origin.user}"
        async with self._redis.pipeline(transaction=True) as both:
            both.set(f"{PREFIX}result:{key}", packed(result), ex=self._keep_s)
            both.zadd(theirs, {key: time.time()})
            both.zremrangebyrank(theirs, 0, -1 - KEEP_ASKED)
            both.expire(theirs, self._keep_s)
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
        return _counted(await self._rate(keys=names, args=[user, int(useful), self._keep_votes_s]))

    async def feedback(self, key: str) -> Feedback:
        """Return what people thought of one answer."""
        return _counted(await self._redis.hvals(f"{PREFIX}feedback:{key}"))

    async def totals(self) -> Feedback:
        """Return what people thought of all answers."""
        useful, not_useful = await self._redis.hmget(f"{PREFIX}feedback", ["useful", "not_useful"])
        return Feedback(useful=int(useful or 0), not_useful=int(not_useful or 0))

    async def tidy(self) -> None:
        """Do nothing: what is kept here expires by itself."""

    async def held(self) -> list[Held]:
        """List results and votes; when they came is known by when they expire, of votes on one answer the last."""
        now = time.time()
        found = []
        async for name in self._redis.scan_iter(f"{PREFIX}result:*", count=500):
            body: Any = await self._redis.get(name)
            if body is not None:
                made_at = now - self._keep_s + await self._redis.ttl(name)
                found.append(held_as(_last(name), "", made_at, body))
        async for name in self._redis.scan_iter(f"{PREFIX}feedback:*", count=500):
            given_at = now - self._keep_votes_s + await self._redis.ttl(name)
            users: Any = await self._redis.hkeys(name)
            found += [
                Held(what=VOTE, key=_last(name), team="", channel="", user=user.decode(), at=given_at) for user in users
            ]
        return found

    async def forget(self, held: Sequence[Held]) -> None:
        """Drop some of them."""
        for its in held:
            if its.what == RESULT:
                await self._redis.delete(f"{PREFIX}result:{its.key}")
                await self._redis.zrem(f"{PREFIX}asked:{its.user}", its.key)
            else:
                names = [f"{PREFIX}feedback:{its.key}", f"{PREFIX}feedback"]
                await self._unrate(keys=names, args=[its.user])

    async def aclose(self) -> None:
        """Do nothing: the connections are the ledger's, which closes them."""


def _last(name: bytes) -> str:
    """Return the answer that a name is about."""
    return name.decode().rpartition(":")[2]


def _counted(words: list[Any]) -> Feedback:
    return Feedback(useful=words.count(b"1"), not_useful=words.count(b"0"))
