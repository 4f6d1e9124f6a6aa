"""What one question fetched answers the next one, for whoever may ask it; and nothing of it can be read where it lies."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import time
import zlib
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from backends import CHECKOUT, Backend, Town, fetch, sources
from exchanges import body
from measured import Watch
from pydantic import SecretStr
from redis.asyncio import Redis

from bot.cache.redis_cache import RedisStore
from bot.cache.trace_cache import Kind, MemoryStore, TraceCache
from bot.errors import UserError
from bot.settings import CacheSettings, ChannelSettings, SourceSettings

V1, V2 = f"/api/traces/{CHECKOUT}", f"/api/v2/traces/{CHECKOUT}"
WHOLE = ("tempo", "v2-checkout-slow-pb")
ROOM = 1_000_000
PLANTED = "correct-horse-battery-staple"
LONG_AGO = time.time() - 3600


@pytest.fixture
async def redis(redis_url):
    """Return a client of an empty database."""
    async with Redis.from_url(redis_url) as client:
        await client.flushdb()
        yield client


@pytest.fixture(params=["memory", "redis"])
async def store(request, redis, redis_url):
    """Return an empty store of either kind."""
    made = MemoryStore(ROOM) if request.param == "memory" else RedisStore(redis_url, ROOM)
    yield made
    await made.aclose()


@pytest.fixture
def cache(store) -> TraceCache:
    """Return an empty cache."""
    return TraceCache(store, "xoxb-test", CacheSettings())


def town_trace(at_s: float, **fields) -> bytes:
    """Return a request as Jaeger sends it, under the id that the tests fetch."""
    town = Town()
    trace_id = town.request(at_s, 100, **fields)
    return town.bodies[trace_id].replace(trace_id.encode(), CHECKOUT.encode())


def sends(sent: bytes, content_type: str = "application/json"):
    """Return a handler that sends a body."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=sent, content_type=content_type)

    return answer


async def asked_for(kind: str, path: str, answers, cache: TraceCache, **how) -> int:
    """Fetch a trace twice; returns how often the backend was asked for it."""
    backend = Backend()
    backend.on(path, *answers)
    async with sources(kind, backend, cache=cache) as opened:
        first, again = await fetch(opened, **how), await fetch(opened, **how)
    assert first == again
    return sum(request.path == path for request in backend.asked)


@asynccontextmanager
async def answering(world, shared):
    """Answer what a world receives: itself, or in another process that stops in the end."""
    if not shared:
        yield
        return
    worker = world.beside()
    worker.files._refused_until["T1"] = float("inf")
    await worker.start_worker()
    try:
        yield
        async with asyncio.timeout(60):
            while (await world.bot.ledger.pending()).count:
                await asyncio.sleep(0.01)
    finally:
        await worker.stop()


@pytest.mark.parametrize("shared", [False, True])
async def test_other_questions_about_an_operation_ask_for_nothing_again(plain_world, redis, redis_url, shared) -> None:
    """Two requests of one operation, then the sides swapped: each trace is fetched, and each window searched, once.

    With Redis the second question is answered by another process than the first.
    """
    town, block = Town(), (LONG_AGO // 300) * 300
    usual = set(town.traffic(block - 1500, block, 30, 100))
    first, second = town.request(block + 100, 1300), town.request(block + 150, 1300)

    def asked() -> tuple[list[str], int]:
        paths = [request.path for request in town.asked]
        town.asked.clear()
        start = "/jaeger/api/traces/"
        return [p.removeprefix(start) for p in paths if p.startswith(start)], paths.count("/jaeger/api/traces")

    async with town.served() as url:
        source = SourceSettings(name="town", kind="jaeger", url=url, ui_url=url)
        redis_setting = SecretStr(redis_url) if shared else None
        async with plain_world(sources=(source,), redis_url=redis_setting) as world:
            async with answering(world, shared):
                await world.command(first)
                await world.settled()
            fetched, searches = asked()
            assert set(fetched) - usual == {first}
            assert len(fetched) == len(set(fetched)) > 20
            assert searches == 1
            async with answering(world, shared):
                await world.command(second)
                await world.settled()
            assert asked() == ([second], 0)
            async with answering(world, shared):
                await world.click(world.slack.roots()[0], "swap")
                await world.settled()
            assert asked() == ([], 0)
            assert [m["text"].split(":")[0] for m in world.slack.roots()] == ["Slower", "Slower"]
            assert any(m["text"].startswith("Faster") for m in world.slack.replies(world.slack.roots()[0]["ts"]))
            assert world.slack.whispers() == []


async def test_a_trace_that_was_fetched_is_there_for_the_next_in_every_dialect(cache) -> None:
    """Jaeger's JSON, OTLP JSON and Tempo's protobuf: asked for once, the second answer is the first one, to the byte."""
    watch = Watch()
    assert await asked_for("tempo", V2, [WHOLE], cache) == 1
    assert await asked_for("jaeger", V1, [sends(town_trace(LONG_AGO))], cache) == 1
    assert await asked_for("jaeger", f"/api/v3/traces/{CHECKOUT}", [("jaeger", "v3-trace-checkout-slow")], cache) == 1
    name = "compare_traces_cache_lookups_total"
    assert (watch(name, kind="trace", result="miss"), watch(name, kind="trace", result="hit")) == (3, 3)


async def test_what_another_tenant_fetched_is_not_to_be_had(cache) -> None:
    """Each tenant asks for itself; the default one is the same whether it is named or not; another source is another."""
    backend = Backend()
    backend.on(V2, WHOLE)
    channels = {"C-NONE": ChannelSettings(sources=("other",))}
    other = SourceSettings(name="other", kind="tempo", url="http://127.0.0.1:9", connect_timeout_s=0.2)
    async with sources("tempo", backend, cache=cache, tenant="team-a", channels=channels, more=(other,)) as opened:
        for tenant in ("team-a", "team-b", None, "team-a", "team-b"):
            await fetch(opened, tenant=tenant, source="tempo")
        with pytest.raises(UserError):  # kept or not: who may not ask is refused before anything is looked up
            await fetch(opened, channel="C-NONE", source="tempo", tenant="team-a")
    assert [r.headers["X-Scope-OrgID"] for r in backend.asked] == ["team-a", "team-b"]


async def test_an_entry_under_another_name_is_not_taken_for_it(redis, redis_url) -> None:
    """Whoever can move entries in Redis cannot show one tenant's trace to another: the name is inside as well."""
    store = RedisStore(redis_url, ROOM)
    cache = TraceCache(store, "xoxb-test", CacheSettings())
    await cache.put(Kind.TRACE, ("tempo", "team-a"), b"theirs")
    (theirs,) = [name async for name in redis.scan_iter("{ct}:cached:*") if await redis.type(name) == b"string"]
    await cache.put(Kind.TRACE, ("tempo", "team-b"), b"ours")
    for name in [name async for name in redis.scan_iter("{ct}:cached:*") if await redis.type(name) == b"string"]:
        if name != theirs:
            await redis.copy(theirs, name, replace=True)
    assert await cache.get(Kind.TRACE, ("tempo", "team-a"), bytes) == b"theirs"
    assert await cache.get(Kind.TRACE, ("tempo", "team-b"), bytes) is None
    await cache.aclose()


async def test_only_whole_traces_are_kept(cache) -> None:
    """Cut off by the backend, still arriving, or fetched for a window that may cut it: asked for again each time."""
    partial = body("tempo", "v2-checkout-slow-pb") + b"\x18\x01\x22\x03why"
    for answer in (("tempo", "filter-error"), sends(partial, "application/protobuf")):
        assert await asked_for("tempo", V2, [answer], cache) == 2
    cut = json.loads(town_trace(LONG_AGO))
    cut["data"][0]["spans"][0]["warnings"] = ["trace has more than 2 spans, showing first 2 spans only"]
    for sent in (json.dumps(cut).encode(), town_trace(time.time() - 20)):
        assert await asked_for("jaeger", V1, [sends(sent)], cache) == 2
    backend = Backend()
    backend.on(V1, sends(town_trace(LONG_AGO)))
    async with sources("jaeger", backend, cache=cache) as opened:
        source = opened.named("jaeger")
        for around in (60, 60, 3600, 60):
            window = (int(LONG_AGO) - around, int(LONG_AGO) + around)
            await source.fetch(CHECKOUT, window=window, tenant=None, deadline_s=5.0)
    assert sum(request.path == V1 for request in backend.asked) == 3


async def test_nothing_of_a_trace_can_be_read_in_redis(redis, redis_url) -> None:
    """A secret in a span is in no value that Redis holds, however one unpacks it."""
    cache = TraceCache(RedisStore(redis_url, ROOM), "xoxb-test", CacheSettings())
    sent = town_trace(LONG_AGO, operation=f"GET /login?password={PLANTED}")
    assert await asked_for("jaeger", V1, [sends(sent)], cache) == 1
    stored = [await redis.get(name) async for name in redis.scan_iter("*") if await redis.type(name) == b"string"]
    assert stored
    for value in stored:
        assert len(value) > 300
        for raw in (value, base64.urlsafe_b64decode(value + b"===")):
            assert PLANTED.encode() not in raw
            for start in range(len(raw)):
                unpacker = zlib.decompressobj()
                try:
                    plain = unpacker.decompress(raw[start:], 1 << 20)
                except zlib.error:
                    continue
                assert PLANTED.encode() not in plain
    await cache.aclose()


async def test_an_entry_that_cannot_be_opened_is_fetched_again(redis, redis_url) -> None:
    """Another key, or bytes that were changed: a miss, and no more."""
    caches = [TraceCache(RedisStore(redis_url, ROOM), secret, CacheSettings()) for secret in ("one", "one", "two")]
    await caches[0].put(Kind.TRACE, ("a",), b"kept")
    assert [await its.get(Kind.TRACE, ("a",), bytes) for its in caches] == [b"kept", b"kept", None]
    (name,) = [name async for name in redis.scan_iter("{ct}:cached:*") if await redis.type(name) == b"string"]
    whole = await redis.get(name)
    for broken in (whole[:-9], whole[:50] + b"A" * 9 + whole[59:], b"", b"\xff" * 99):
        await redis.set(name, broken)
        assert await caches[1].get(Kind.TRACE, ("a",), bytes) is None
    for its in caches:
        await its.aclose()


async def test_without_redis_everything_is_fetched(redis, redis_url, monkeypatch) -> None:
    """A Redis that refuses, one that says nothing, one that is gone: the trace comes from the backend; it is counted, not raised."""
    watch, name = Watch(), "compare_traces_cache_lookups_total"
    refusing = TraceCache(RedisStore(redis_url, ROOM), "xoxb-test", CacheSettings())
    await redis.set("{ct}:cached", "no list")
    assert await asked_for("tempo", V2, [WHOLE], refusing) == 2
    assert (watch(name, kind="trace", result="miss"), watch(name, kind="trace", result="away")) == (1, 1)
    silent = socket.create_server(("127.0.0.1", 0))
    address = f"redis://127.0.0.1:{silent.getsockname()[1]}"
    monkeypatch.setattr("bot.cache.redis_cache.ANSWER_S", 0.05)
    for close in (False, True):
        if close:
            silent.close()
        gone = TraceCache(RedisStore(address, ROOM), "xoxb-test", CacheSettings())
        assert await asked_for("tempo", V2, [WHOLE], gone) == 2
        await gone.aclose()
    assert watch(name, kind="trace", result="away") == 5
    await refusing.aclose()


async def test_what_is_kept_stays_within_its_bytes(store, redis) -> None:
    """Far more is put than there is room for: the newest is there, the first is not, and one too large never was."""
    for i in range(50):
        await store.put(f"n{i}", bytes([i]) * (ROOM // 10), 60 + i)
    await store.put("n49", b"again" * (ROOM // 50), 200)
    await store.put("large", b"x" * (ROOM + 1), 300)
    kept = [i for i in range(50) if await store.get(f"n{i}")]
    assert kept == list(range(40, 50))
    assert await store.get("n49") == b"again" * (ROOM // 50)
    assert await store.get("large") is None
    if isinstance(store, RedisStore):
        sizes = {k: int(v) for k, v in (await redis.hgetall("{ct}:cached:sizes")).items()}
        assert sizes.pop(b"all") == sum(sizes.values()) == ROOM
        assert await redis.zcard("{ct}:cached") == len(sizes) == 10
        assert {await redis.ttl(name) > 0 async for name in redis.scan_iter("*")} == {True}
    else:
        assert store.bytes == ROOM


async def test_what_is_kept_expires() -> None:
    """In memory by a clock, and what is over makes room."""
    clock = [0.0]
    store = MemoryStore(ROOM, lambda: clock[0])
    await store.put("a", b"x" * 10, 60)
    clock[0] = 59.0
    assert await store.get("a")
    clock[0] = 60.0
    assert await store.get("a") is None
    await store.put("b", b"y", 60)
    assert store.bytes == 1


async def test_a_cache_that_is_switched_off_keeps_nothing(make_world, redis_url, redis, store) -> None:
    """No bytes, or no seconds: nothing is looked up and nothing is kept."""
    off = TraceCache(store, "xoxb-test", CacheSettings(traces_s=0))
    assert await asked_for("tempo", V2, [WHOLE], off) == 2
    async with make_world(start=False, cache=CacheSettings(bytes=0)) as world:
        assert world.bot.state.cache is None
    assert [name async for name in redis.scan_iter("{ct}:cached*")] == []
