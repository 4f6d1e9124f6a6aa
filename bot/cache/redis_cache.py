"""The cache in Redis: what `bot.cache.trace_cache` keeps in memory, for any number of processes.

    {ct}:cached:<name>   string  one sealed entry; expires
    {ct}:cached          zset    names by when they expire (ms)
    {ct}:cached:sizes    hash    name -> bytes; "all": their sum

Entries stay within a number of bytes together: where there is no room, those that would expire first go. Its client is
one of its own: it gives up soon and tries once, since nothing depends on it.
"""

from __future__ import annotations

import math
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

PREFIX = "{ct}:cached"
CONNECTIONS = 8
CONNECT_S = 0.5
ANSWER_S = 1.0

KEEP = """
local order, sizes, entry = KEYS[1], KEYS[2], KEYS[3]
local name, size, keep, room = ARGV[1], #ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function drop(its)
  local bytes = redis.call('HGET', sizes, its)
  redis.call('HDEL', sizes, its)
  redis.call('ZREM', order, its)
  redis.call('DEL', order .. ':' .. its)
  return redis.call('HINCRBY', sizes, 'all', -(bytes or 0))
end

local all = drop(name)
for _, its in ipairs(redis.call('ZRANGEBYSCORE', order, '-inf', now)) do all = drop(its) end
while all + size > room do
  local first = redis.call('ZRANGE', order, 0, 0)[1]
  if not first then return end
  all = drop(first)
end
redis.call('SET', entry, ARGV[2], 'PX', keep)
redis.call('ZADD', order, now + keep, name)
redis.call('HSET', sizes, name, size)
redis.call('HINCRBY', sizes, 'all', size)
-- The lists go with the last entry that they name.
local last = redis.call('ZRANGE', order, -1, -1, 'WITHSCORES')[2]
redis.call('PEXPIREAT', order, string.format('%.0f', last))
redis.call('PEXPIREAT', sizes, string.format('%.0f', last))
"""


class RedisStore:
    """Entries in Redis (or Valkey)."""

    def __init__(self, url: str, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._redis = Redis.from_pool(
            BlockingConnectionPool.from_url(
                url,
                max_connections=CONNECTIONS,
                timeout=ANSWER_S,
                socket_connect_timeout=CONNECT_S,
                socket_timeout=ANSWER_S,
                retry=Retry(NoBackoff(), 0),
            )
        )
        self._keep = self._redis.register_script(KEEP)

    async def get(self, name: str) -> bytes | None:
        """Return an entry; None when there is none."""
        entry: Any = await self._redis.get(f"{PREFIX}:{name}")
        return entry if isinstance(entry, bytes) else None

    async def put(self, name: str, entry: bytes, keep_s: float) -> None:
        """Keep an entry, unless it alone is more than there is room for."""
        if len(entry) > self._limit:
            return
        keys = [PREFIX, f"{PREFIX}:sizes", f"{PREFIX}:{name}"]
        await self._keep(keys=keys, args=[name, entry, math.ceil(keep_s * 1000), self._limit])

    async def aclose(self) -> None:
        """Close the connections."""
        await self._redis.aclose()
