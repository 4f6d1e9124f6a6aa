"""The ledger in Redis, on a real server: the same promises as in a file, for many processes at once."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from bot.state.ledger import AlertName
from bot.state.redis_ledger import RECENT, RedisLedger
from bot.state.state_file import StateError


@pytest.fixture
async def redis(redis_url):
    """Return a client of an empty database."""
    client = Redis.from_url(redis_url)
    await client.flushdb()
    yield client
    await client.aclose()


@pytest.fixture
def ledger(redis):
    """Return a ledger with a clock that the test sets."""
    clock = [1000.0]
    made = RedisLedger(redis, lambda: clock[0])
    made.set_clock = lambda now: clock.__setitem__(0, now)
    return made


async def test_the_same_question_is_known_for_a_while(ledger) -> None:
    """Within the window the earlier request is returned; after it the question is new."""
    assert await ledger.accept("k1", "q", "C", b"{}", 60) is None
    await ledger.posted("k1", "1.1")
    earlier = await ledger.accept("k2", "q", "C", b"{}", 60)
    assert (earlier.key, earlier.root_ts, earlier.state) == ("k1", "1.1", "posted")
    ledger.set_clock(1100.0)
    assert await ledger.accept("k3", "q", "C", b"{}", 60) is None


async def test_of_many_who_ask_at_once_one_is_accepted(ledger) -> None:
    """Processes that take the same question at the same moment agree on who has it."""
    answers = await asyncio.gather(*(ledger.accept(f"k{i}", "q", "C", b"{}", 60) for i in range(20)))
    (accepted,) = [i for i, earlier in enumerate(answers) if earlier is None]
    assert {earlier.key for earlier in answers if earlier} == {f"k{accepted}"}
    assert [entry.key for entry in await ledger.unfinished()] == [f"k{accepted}"]


async def test_an_acceptance_that_is_sent_again_is_the_same_one(ledger) -> None:
    """A client that repeats what it did not know to be applied does not find its own request in its way."""
    assert await ledger.accept("k1", "q", "C", b"{}", 60) is None
    assert await ledger.accept("k1", "q", "C", b"{}", 60) is None


async def test_a_failed_question_may_be_asked_again_at_once(ledger) -> None:
    """Only answers stand in the way of asking again, not failures."""
    await ledger.accept("k1", "q", "C", b"{}", 60)
    await ledger.ended("k1", "failed")
    assert await ledger.accept("k2", "q", "C", b"{}", 60) is None


async def test_an_alert_is_known_whatever_traces_it_names(ledger) -> None:
    """An alert that fires again is the same one, although the question differs."""
    alert = AlertName("disk full", 3600)
    assert await ledger.accept("k1", "q1", "C", b"{}", 60, alert) is None
    earlier = await ledger.accept("k2", "q2", "C", b"{}", 60, alert)
    assert earlier.key == "k1"
    assert await ledger.accept("k3", "q3", "C", b"{}", 60, AlertName("cpu", 3600)) is None


async def test_progress_is_there_for_the_next_process(ledger, redis) -> None:
    """What was accepted and not ended is found by another process, with how far it came; what ended is not."""
    await ledger.accept("k1", "q1", "C", b"p1", 60)
    await ledger.accept("k2", "q2", "C", b"p2", 60)
    assert [await ledger.started("k1"), await ledger.started("k1")] == [1, 2]
    await ledger.posted("k1", "1.1")
    await ledger.ended("k2", "answered")
    (left,) = await RedisLedger(redis).unfinished()
    assert (left.key, left.payload, left.state, left.root_ts, left.attempts) == ("k1", b"p1", "posted", "1.1", 2)


async def test_answers_of_a_channel_newest_first_and_bounded(ledger, redis) -> None:
    """The history of a channel holds what was answered there for all to see, and does not grow for ever."""
    for i in range(RECENT + 5):
        ledger.set_clock(1000.0 + i)
        await ledger.accept(f"k{i}", f"q{i}", "C", b"{}", 60)
        await ledger.posted(f"k{i}", f"{i}.1")
        await ledger.ended(f"k{i}", "answered")
    await ledger.accept("other", "q", "D", b"{}", 60)
    await ledger.ended("other", "answered")  # private: it has no root message
    newest = await ledger.recent("C", 2)
    assert [entry.key for entry in newest] == [f"k{RECENT + 4}", f"k{RECENT + 3}"]
    assert await redis.zcard("{ct}:answered:C") == RECENT
    assert await ledger.recent("D", 10) == []


async def test_what_waits_is_counted(ledger) -> None:
    """Number and age of what has no answer; nothing, when all have one."""
    empty = await ledger.pending()
    assert (empty.count, empty.oldest_s) == (0, 0.0)
    await ledger.accept("k1", "q1", "C", b"{}", 60)
    ledger.set_clock(1090.0)
    await ledger.accept("k2", "q2", "C", b"{}", 60)
    waiting = await ledger.pending()
    assert (waiting.count, waiting.oldest_s) == (2, 90.0)
    await ledger.ended("k1", "answered")
    assert (await ledger.pending()).oldest_s == 0.0


async def test_a_server_that_takes_nothing_is_said_without_its_address(ledger, redis) -> None:
    """Writing works, or there is a reason; not the password in the address."""
    await ledger.check()
    password = "s3cretpassw0rd"
    gone = RedisLedger(Redis.from_url(f"redis://:{password}@127.0.0.1:9/0", retry=None))
    for asked in (gone.check(), gone.pending()):
        with pytest.raises(StateError, match="Redis: ConnectionError") as caught:
            await asked
        assert password not in str(caught.value)


async def test_one_worker_at_a_time(ledger) -> None:
    """A request is worked on by whoever claimed it, until that one lets go or stops renewing."""
    assert await ledger.claim("k1", "w1", 60)
    assert await ledger.claim("k1", "w1", 60)  # renewed
    assert not await ledger.claim("k1", "w2", 60)
    await ledger.release("k1", "w2")  # not its own
    assert not await ledger.claim("k1", "w2", 60)
    await ledger.release("k1", "w1")
    assert await ledger.claim("k1", "w2", 0.001)
    while not await ledger.claim("k1", "w3", 60):
        await asyncio.sleep(0.005)
