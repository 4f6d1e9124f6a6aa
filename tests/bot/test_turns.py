"""Fair turns: whoever asks for much keeps nobody else waiting; the same rule in one process and for many workers."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from bot.job.turns import Turns
from bot.state.redis_ledger import RedisLedger

ASKED = [*[("eve", "C1")] * 6, ("bob", "C1"), ("eve", "C2"), ("alice", "C2"), ("alice", "C2"), ("carol", "C3")]
# eve came first; then everybody has had one before she gets her second, and alice hers before eve's third.
SERVED = ["eve", "bob", "alice", "carol", "eve", "alice", "eve", "eve", "eve", "eve", "eve"]


async def embedded(places: int) -> list[str]:
    """Ask as above; returns who was served, in order."""
    turns, served = Turns(places), []
    first = asyncio.Event()

    async def work(asker: str, channel: str) -> None:
        async with turns.place(asker, channel):
            served.append(asker)
            await first.wait()

    working = [asyncio.create_task(work(*asked)) for asked in ASKED]
    for _ in range(3):
        await asyncio.sleep(0)
    assert len(served) == places
    first.set()
    await asyncio.gather(*working)
    return served


async def shared(redis_url: str, places: int) -> list[str]:
    """Accept the same on a server; returns whose requests workers claim, in order, so many at once."""
    async with Redis.from_url(redis_url) as client:
        await client.flushdb()
        ledger = RedisLedger(client)
        for number, (asker, channel) in enumerate(ASKED):
            await ledger.accept(f"{number}", f"q{number}", channel, b"{}", 0, asker=asker)
        served, working = [], []
        while len(served) < len(ASKED):
            while len(working) < places and (key := await ledger.claim_next(f"w{len(served)}", 60)):
                served.append(ASKED[int(key)][0])
                working.append(key)
            await ledger.ended(working[0], "answered")
            working.pop(0)
        assert await ledger.claim_next("w", 60) is None
        return served


@pytest.mark.parametrize("runner", ["embedded", "shared"])
async def test_everybody_is_served_before_anybody_is_again(runner, redis_url) -> None:
    """One place: one after the other, each person's next one after all others had theirs."""
    assert await (embedded(1) if runner == "embedded" else shared(redis_url, 1)) == SERVED


@pytest.mark.parametrize("runner", ["embedded", "shared"])
async def test_nobody_holds_all_places_while_others_wait(runner, redis_url) -> None:
    """Three places: as many people at work, whoever came first; in the first round each has one."""
    served = await (embedded(3) if runner == "embedded" else shared(redis_url, 3))
    if runner == "embedded":  # nobody else had come yet when the first places were given away
        assert set(served[3:6]) == {"bob", "alice", "carol"}
    else:
        assert set(served[:3]) == {"eve", "alice", "carol"}  # each in a channel of their own


async def test_a_channel_is_served_as_one_where_people_are_equal() -> None:
    """Of people who have nothing under way, the one whose channel has less goes first."""
    turns, served = Turns(2), []
    gates = {name: asyncio.Event() for name in ("one", "two", "three", "four")}

    async def work(asker: str, channel: str) -> None:
        async with turns.place(asker, channel):
            served.append(asker)
            await gates[asker].wait()

    working = [
        asyncio.create_task(work(*its)) for its in (("one", "C1"), ("two", "C1"), ("three", "C1"), ("four", "C2"))
    ]
    for _ in range(3):
        await asyncio.sleep(0)
    gates["one"].set()
    while len(served) < 3:
        await asyncio.sleep(0)
    assert served == ["one", "two", "four"]
    for gate in gates.values():
        gate.set()
    await asyncio.gather(*working)


async def test_a_place_is_given_back_whatever_happens() -> None:
    """Those who stop waiting, and those who fail in their place, leave it to the next."""
    turns = Turns(1)
    entered = asyncio.Event()

    async def fail() -> None:
        async with turns.place("a", "C"):
            entered.set()
            await asyncio.sleep(0)
            raise ValueError("no")

    async def wait() -> str:
        async with turns.place("a", "C"):
            return "served"

    failing = asyncio.create_task(fail())
    await entered.wait()
    impatient, patient = asyncio.create_task(wait()), asyncio.create_task(wait())
    await asyncio.sleep(0)
    impatient.cancel()
    called = asyncio.create_task(wait())
    with pytest.raises(ValueError, match="no"):
        await failing
    assert await patient == "served"
    assert await called == "served"
    assert await wait() == "served"


async def test_a_claim_that_is_sent_again_is_the_same_one(redis_url) -> None:
    """A client that repeats what it did not know to be applied does not take a second request."""
    async with Redis.from_url(redis_url) as client:
        await client.flushdb()
        ledger = RedisLedger(client)
        for key in ("k1", "k2"):
            await ledger.accept(key, key, "C", b"{}", 0, asker=key)
        assert [await ledger.claim_next("w1", 60), await ledger.claim_next("w1", 60)] == ["k1", "k1"]
        assert await ledger.claim_next("w2", 60) == "k2"
