"""The request ledger in Redis: what `bot.state.ledger` keeps in a file, for processes on any number of machines.

    {ct}:request:<key>      hash     one request, as `Entry`
    {ct}:question:<digest>  string   key of the request that asked it last; lives as long as a repeat points there
    {ct}:alert:<name>       string   key of the request that an alert led to; lives as long as a re-fire is answered
    {ct}:unfinished         zset     keys without an answer, by time of acceptance
    {ct}:answered:<channel> zset     keys that were answered there, the newest `RECENT`
    {ct}:served             hash     when each person was served, as a count; forgotten when nobody asks for a while
    {ct}:claim:<key>        string   who works on a request; expires unless it is renewed
    {ct}:check              string   written to see whether writing works

Each change is one script, so it happens wholly or not at all, and may be repeated: the client repeats what it does not
know to have been applied. All names share one hash tag, so a cluster keeps them together.
"""

from __future__ import annotations

import time
import uuid
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError

from bot.state.ledger import DAY_S, DEFAULT, Entry, Pending, Room, full, held_as
from bot.state.state_file import StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from redis.asyncio import Redis

    from bot.settings import Retention
    from bot.state.forgetting import Held
    from bot.state.ledger import AlertName

MANY = 1_000_000_000
ANY = Room(total=MANY, asker=MANY, channel=MANY)
SERVED_S = 3600  # after which it does not matter any more who was served when
RECENT = 200  # answered requests kept in the list of a channel
PREFIX = "{ct}:"
FIELDS = ("key", "payload", "state", "root_ts", "channel", "attempts", "accepted_at")

# The request that a name points to; not one that failed, nor one of `watcher` that is not posted.
EARLIER = """
local prefix, key, now = ARGV[1], ARGV[2], tonumber(ARGV[3])
local function earlier(name, window, watcher)
  local known = redis.call('GET', name)
  if not known then return nil end
  local found = redis.call('HMGET', prefix .. 'request:' .. known, 'state', 'accepted_at', 'asker')
  if not found[1] or found[1] == 'failed' or tonumber(found[2]) <= now - window then return nil end
  if watcher ~= '' and found[1] == 'accepted' and found[3] == watcher then return nil end
  return known
end
local function point(name, window)
  if name and window > 0 then redis.call('SET', name, key, 'PX', math.ceil(window * 1000)) end
end
"""

ACCEPT = (
    EARLIER
    + """
if redis.call('EXISTS', prefix .. 'request:' .. key) == 1 then return false end
local window, alert_window = tonumber(ARGV[4]), tonumber(ARGV[5])
local known = earlier(KEYS[1], window, ARGV[13])
if not known and KEYS[2] then known = earlier(KEYS[2], alert_window, ARGV[13]) end
if known then return known end
local total, asked, here = 0, 0, 0
for _, other in ipairs(redis.call('ZRANGE', prefix .. 'unfinished', 0, -1)) do
  local its = redis.call('HMGET', prefix .. 'request:' .. other, 'asker', 'channel')
  total = total + 1
  if its[1] == ARGV[9] then asked = asked + 1 end
  if its[2] == ARGV[7] then here = here + 1 end
end
if asked >= tonumber(ARGV[11]) or here >= tonumber(ARGV[12]) or total >= tonumber(ARGV[10]) then
  return {total, asked, here}
end
redis.call('HSET', prefix .. 'request:' .. key, 'key', key, 'payload', ARGV[6], 'channel', ARGV[7],
           'state', 'accepted', 'root_ts', '', 'attempts', 0, 'accepted_at', ARGV[3], 'asker', ARGV[9])
redis.call('EXPIRE', prefix .. 'request:' .. key, ARGV[8])
point(KEYS[1], window)
point(KEYS[2], alert_window)
redis.call('ZADD', prefix .. 'unfinished', ARGV[3], key)
return false
"""
)

# Counted once per token: the client may send it again after a connection that broke.
STARTED = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 1 end
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then
  redis.call('HSET', KEYS[1], 'token', ARGV[1])
  redis.call('HINCRBY', KEYS[1], 'attempts', 1)
end
return tonumber(redis.call('HGET', KEYS[1], 'attempts'))
"""

POSTED = """
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'state', 'posted', 'root_ts', ARGV[1]) end
"""

ANSWERING = (
    EARLIER
    + """
for i, name in ipairs(KEYS) do
  local known = earlier(name, tonumber(ARGV[3 + i]), '')
  if known and known ~= key then return 0 end
end
for i, name in ipairs(KEYS) do point(name, tonumber(ARGV[3 + i])) end
local request = prefix .. 'request:' .. key
if redis.call('EXISTS', request) == 1 then redis.call('HSET', request, 'state', 'posted') end
return 1
"""
)

ENDED = """
local prefix, key, state = ARGV[1], ARGV[2], ARGV[3]
redis.call('ZREM', prefix .. 'unfinished', key)
if redis.call('EXISTS', KEYS[1]) == 0 then return end
redis.call('HSET', KEYS[1], 'state', state)
local found = redis.call('HMGET', KEYS[1], 'channel', 'root_ts', 'accepted_at')
if state == 'answered' and found[2] ~= '' then
  local answered = prefix .. 'answered:' .. found[1]
  redis.call('ZADD', answered, found[3], key)
  redis.call('ZREMRANGEBYRANK', answered, 0, -1 - tonumber(ARGV[4]))
  redis.call('EXPIRE', answered, ARGV[5])
end
"""

# Taken when it is free, and kept by whoever has it already.
CLAIM = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""

# Of those that nobody works on, the one whose turn it is, by the rule of `bot.job.turns`; sent again it says the same.
CLAIM_NEXT = """
local prefix = ARGV[1]
local under_way, waiting = {}, {}
for _, key in ipairs(redis.call('ZRANGE', prefix .. 'unfinished', 0, -1)) do
  local its = redis.call('HMGET', prefix .. 'request:' .. key, 'asker', 'channel')
  if its[2] then
    local asker, channel = 'asker ' .. (its[1] or ''), 'channel ' .. its[2]
    local holder = redis.call('GET', prefix .. 'claim:' .. key)
    if holder == ARGV[2] then return key end
    if holder then
      under_way[asker] = (under_way[asker] or 0) + 1
      under_way[channel] = (under_way[channel] or 0) + 1
    else
      waiting[#waiting + 1] = {key, asker, channel}
    end
  end
end
local best, rank
for _, its in ipairs(waiting) do
  local mine = {under_way[its[2]] or 0, under_way[its[3]] or 0,
                tonumber(redis.call('HGET', prefix .. 'served', its[2]) or 0)}
  local less = rank == nil
  for i = 1, rank and 3 or 0 do
    if mine[i] ~= rank[i] then less = mine[i] < rank[i] break end
  end
  if less then best, rank = its, mine end
end
if not best then return false end
redis.call('SET', prefix .. 'claim:' .. best[1], ARGV[2], 'PX', ARGV[3])
redis.call('HSET', prefix .. 'served', best[2], redis.call('HINCRBY', prefix .. 'served', 'count', 1))
redis.call('EXPIRE', prefix .. 'served', ARGV[4])
return best[1]
"""

RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""


class RedisLedger:
    """Requests in Redis (or Valkey); the client must answer with bytes."""

    def __init__(self, redis: Redis, clock: Callable[[], float] = time.time, keep: Retention = DEFAULT) -> None:
        self._redis = redis
        self._clock = clock
        self._keep_s = keep.history_days * DAY_S
        self._accept = redis.register_script(ACCEPT)
        self._started = redis.register_script(STARTED)
        self._posted = redis.register_script(POSTED)
        self._answering = redis.register_script(ANSWERING)
        self._ended = redis.register_script(ENDED)
        self._claim = redis.register_script(CLAIM)
        self._claim_next = redis.register_script(CLAIM_NEXT)
        self._release = redis.register_script(RELEASE)

    async def accept(
        self, key: str, question: str, channel: str, payload: bytes, window_s: float, alert: AlertName | None = None,
        *, asker: str = "", room: Room | None = None, watcher: str = "",
    ) -> Entry | None:  # fmt: skip
        """Write down a request; returns the earlier one instead if the question was asked within `window_s`.

        With `alert` the earlier one may also be any that was about the same alert, whichever traces it named. One of
        the asker `watcher`, of whose failure nobody would hear, counts only once it is posted. Raises `FullError` for
        a new one when there is no `room`.
        """
        room = room or ANY
        known = await self._accept(
            keys=_pointers(question, alert),
            args=[
                PREFIX, key, f"{self._clock():.6f}", window_s, alert.window_s if alert else 0, payload, channel,
                self._keep_s, asker, room.total, room.asker, room.channel, watcher,
            ],
        )  # fmt: skip
        if isinstance(known, list):
            full(room, *map(int, known))
        return await self.entry(known.decode()) if known else None

    async def entry(self, key: str) -> Entry | None:
        """Return one request; None when it is unknown or was kept long enough."""
        return _entry(await self._redis.hmget(_name("request", key), list(FIELDS)))

    async def started(self, key: str) -> int:
        """Count one more attempt at a request; returns how many there were with this one."""
        return int(await self._started(keys=[_name("request", key)], args=[uuid.uuid4().hex]))

    async def attempts(self, key: str) -> int:
        """Return how many attempts at a request were started."""
        return int(await self._redis.hget(_name("request", key), "attempts") or 0)

    async def posted(self, key: str, root_ts: str) -> None:
        """Remember the root message of a request."""
        await self._posted(keys=[_name("request", key)], args=[root_ts])

    async def answering(self, key: str, question: str, window_s: float, alert: AlertName | None = None) -> bool:
        """Say that what a watcher asked is posted now; False when somebody asked the same since, and hears of it.

        From then on it is what a repeated question, or the alert when it fires again, points to.
        """
        windows = [window_s, alert.window_s if alert else 0]
        args = [PREFIX, key, f"{self._clock():.6f}", *windows]
        return bool(await self._answering(keys=_pointers(question, alert), args=args))

    async def ended(self, key: str, state: str) -> None:
        """Close a request: `answered` or `failed`."""
        await self._ended(keys=[_name("request", key)], args=[PREFIX, key, state, RECENT, self._keep_s])

    async def unfinished(self) -> list[Entry]:
        """Return the requests that were accepted and have no answer, oldest first."""
        return await self._entries(await self._redis.zrange(PREFIX + "unfinished", 0, -1))

    async def pending(self) -> Pending:
        """Count the requests that were accepted and have no answer; raises `StateError` where nothing can be read."""
        try:
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.zcard(PREFIX + "unfinished")
            pipeline.zrange(PREFIX + "unfinished", 0, 0, withscores=True)
            count, oldest = await pipeline.execute()
        except (RedisError, OSError) as error:
            raise StateError(_reason(error)) from None
        age_s = max(0.0, self._clock() - oldest[0][1]) if oldest else 0.0
        return Pending(count=count, oldest_s=age_s)

    async def check(self) -> None:
        """Write what nobody reads; raises `StateError` where that cannot be done."""
        try:
            await self._redis.set(PREFIX + "check", b"", px=1000)
        except (RedisError, OSError) as error:
            raise StateError(_reason(error)) from None

    async def recent(self, channel: str, limit: int) -> list[Entry]:
        """Return what was answered in a channel for all to see, newest first."""
        return await self._entries(await self._redis.zrevrange(_name("answered", channel), 0, limit - 1))

    async def tidy(self) -> None:
        """Do nothing: what is kept here expires by itself."""

    async def held(self) -> list[Held]:
        """List the requests that have ended."""
        names = [name async for name in self._redis.scan_iter(f"{PREFIX}request:*", count=500)]
        entries = await self._entries([name.rpartition(b":")[2] for name in names])
        return [held_as(entry) for entry in entries if entry.state in ("answered", "failed")]

    async def forget(self, held: Sequence[Held]) -> None:
        """Drop some of them; what points to them finds nothing and expires."""
        for its in held:
            await self._redis.delete(_name("request", its.key))
            await self._redis.zrem(_name("answered", its.channel), its.key)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def claim(self, key: str, worker: str, lease_s: float) -> bool:
        """Say that `worker` works on a request for the next `lease_s`; False when another one does."""
        return bool(await self._claim(keys=[_name("claim", key)], args=[worker, round(lease_s * 1000)]))

    async def claim_next(self, worker: str, lease_s: float) -> str | None:
        """Say that `worker` works for the next `lease_s` on the request whose turn it is; None when none waits."""
        key = await self._claim_next(
            keys=[PREFIX + "unfinished"], args=[PREFIX, worker, round(lease_s * 1000), SERVED_S]
        )
        return key.decode() if key else None

    async def release(self, key: str, worker: str) -> None:
        """Say that `worker` is done with a request."""
        await self._release(keys=[_name("claim", key)], args=[worker])

    async def _entries(self, keys: Sequence[Any]) -> list[Entry]:
        pipeline = self._redis.pipeline(transaction=False)
        for key in keys:
            pipeline.hmget(_name("request", key.decode()), list(FIELDS))
        return [entry for found in await pipeline.execute() if (entry := _entry(found)) is not None]


def _name(kind: str, of: str) -> str:
    return f"{PREFIX}{kind}:{of}"


def _pointers(question: str, alert: AlertName | None) -> list[str]:
    """Name what points to the request that asked a question, and to the one that an alert led to."""
    about = [_name("alert", _digest(alert.name))] if alert is not None else []
    return [_name("question", _digest(question)), *about]


def _reason(error: Exception) -> str:
    """Say what is wrong with Redis; what it says itself may name its address and user."""
    return f"Redis: {type(error).__name__}"


def _digest(text: str) -> str:
    """Return a short name for a text of any length."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _entry(found: Sequence[Any]) -> Entry | None:
    """Read a request's fields, which the client's types allow to be text as well as bytes; they are bytes."""
    if found[0] is None:
        return None
    key, payload, state, root_ts, channel, attempts, accepted_at = (value or b"" for value in found)
    return Entry(
        key=key.decode(), payload=payload, state=state.decode(), root_ts=root_ts.decode(), channel=channel.decode(),
        attempts=int(attempts), accepted_at=float(accepted_at),
    )  # fmt: skip
