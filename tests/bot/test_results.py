"""Results: there after a restart, gone when they are old, and counted once per person."""

from __future__ import annotations

import sqlite3

import msgspec
import pytest
from answers import result
from msgspec.structs import replace
from redis.asyncio import Redis

from analysis.comparison import SCHEMA_VERSION
from bot.settings import Retention
from bot.state.redis_results import RedisResults
from bot.state.results import MOST, Feedback, SqliteResults

DAY = 24 * 3600


@pytest.fixture
async def results(tmp_path):
    """Return results in a file, with a clock that the test sets."""
    clock = [1000.0]
    made = SqliteResults(tmp_path / "l.sqlite3", lambda: clock[0])
    made.set_clock = lambda now: clock.__setitem__(0, now)
    yield made
    await made.aclose()


@pytest.fixture(params=["file", "redis"])
async def either(request, tmp_path):
    """Return results wherever they can be kept."""
    if request.param == "file":
        made = SqliteResults(tmp_path / "l.sqlite3")
        yield made
        await made.aclose()
        return
    client = Redis.from_url(request.getfixturevalue("redis_url"))
    await client.flushdb()
    yield RedisResults(client)
    await client.aclose()


async def test_a_result_comes_back_as_it_was_after_a_restart(tmp_path) -> None:
    """Everything that an answer was made from."""
    first = SqliteResults(tmp_path / "l.sqlite3")
    await first.keep("k1", result())
    await first.aclose()
    second = SqliteResults(tmp_path / "l.sqlite3")
    assert await second.load("k1") == result()
    assert await second.load("k2") is None
    await second.aclose()


async def test_a_result_comes_back_as_it_was(either) -> None:
    """Whichever process asks for it."""
    await either.keep("k1", result())
    assert await either.load("k1") == result()
    assert await either.load("k2") is None


async def test_old_results_are_gone(results) -> None:
    """After some days a result is not given out any more, and makes room with the next one."""
    await results.keep("k1", result())
    results.set_clock(1000.0 + Retention().results_days * DAY + 1)
    assert await results.load("k1") is None
    await results.keep("k2", result())
    rows = results._db.execute("SELECT key FROM results").fetchall()
    assert rows == [("k2",)]


async def test_there_are_never_too_many(results, monkeypatch) -> None:
    """The oldest make room."""
    assert MOST >= 1_000
    monkeypatch.setattr("bot.state.results.MOST", 2)
    for number in range(4):
        results.set_clock(1000.0 + number)
        await results.keep(f"k{number}", result())
    assert [await results.load(f"k{n}") is not None for n in range(4)] == [False, False, True, True]


async def test_a_result_of_another_version_is_as_if_it_were_gone(results) -> None:
    """What cannot be read is not guessed at."""
    for body in (b"not even compressed", msgspec.msgpack.encode({"a": 1})):
        results._db.execute("INSERT OR REPLACE INTO results VALUES ('k', 'U', 1000, ?)", (body,))
        assert await results.load("k") is None


async def test_a_result_whose_words_mean_something_else_is_as_if_it_were_gone(results) -> None:
    """A comparison of another schema version is not read, though its fields would fit."""
    found = result()
    older = replace(found.answer.comparison, schema_version=SCHEMA_VERSION - 1)
    await results.keep("k", replace(found, answer=replace(found.answer, comparison=older)))
    assert await results.load("k") is None


async def test_everybody_has_one_voice(either) -> None:
    """A second word of the same person replaces the first; totals count every answer."""
    assert await either.rate("k1", "U1", useful=True) == Feedback(useful=1)
    assert await either.rate("k1", "U1", useful=True) == Feedback(useful=1)
    assert await either.rate("k1", "U2", useful=True) == Feedback(useful=2)
    assert await either.rate("k1", "U1", useful=False) == Feedback(useful=1, not_useful=1)
    await either.rate("k2", "U1", useful=False)
    assert await either.feedback("k1") == Feedback(useful=1, not_useful=1)
    assert await either.feedback("k3") == Feedback()
    assert await either.totals() == Feedback(useful=1, not_useful=2)


async def test_what_somebody_asked_for_is_found_newest_first(either) -> None:
    """For their own page; nobody else's."""
    for number, user in enumerate(("U1", "U2", "U1", "U1")):
        await either.keep(f"k{number}", result(origin=msgspec.structs.replace(result().origin, user=user)))
    assert await either.of("U1", 2) == ["k3", "k2"]
    assert await either.of("U2", 9) == ["k1"]
    assert await either.of("U3", 9) == []


async def test_a_result_is_small(results) -> None:
    """What is kept of an answer is a matter of kilobytes."""
    await results.keep("k1", result())
    ((body,),) = sqlite3.connect(results._db.execute("PRAGMA database_list").fetchone()[2]).execute(
        "SELECT body FROM results"
    )
    assert len(body) < 10_000
