"""Results: there after a restart, gone when they are old, and counted once per person."""

from __future__ import annotations

import sqlite3

import msgspec
import pytest
from answers import result

from bot.results import KEEP_DAYS, MOST, Feedback, Results

DAY = 24 * 3600


@pytest.fixture
def results(tmp_path):
    """Return results with a clock that the test sets."""
    clock = [1000.0]
    made = Results(tmp_path / "l.sqlite3", lambda: clock[0])
    made.set_clock = lambda now: clock.__setitem__(0, now)
    yield made
    made.close()


async def test_a_result_comes_back_as_it_was_after_a_restart(tmp_path) -> None:
    """Everything that an answer was made from."""
    first = Results(tmp_path / "l.sqlite3")
    await first.keep("k1", result())
    first.close()
    second = Results(tmp_path / "l.sqlite3")
    assert await second.load("k1") == result()
    assert await second.load("k2") is None
    second.close()


async def test_old_results_are_gone(results) -> None:
    """After some days a result is not given out any more, and makes room with the next one."""
    await results.keep("k1", result())
    results.set_clock(1000.0 + KEEP_DAYS * DAY + 1)
    assert await results.load("k1") is None
    await results.keep("k2", result())
    rows = results._db.execute("SELECT key FROM results").fetchall()
    assert rows == [("k2",)]


async def test_there_are_never_too_many(results, monkeypatch) -> None:
    """The oldest make room."""
    assert MOST >= 1_000
    monkeypatch.setattr("bot.results.MOST", 2)
    for number in range(4):
        results.set_clock(1000.0 + number)
        await results.keep(f"k{number}", result())
    assert [await results.load(f"k{n}") is not None for n in range(4)] == [False, False, True, True]


async def test_a_result_of_another_version_is_as_if_it_were_gone(results) -> None:
    """What cannot be read is not guessed at."""
    for body in (b"not even compressed", msgspec.msgpack.encode({"a": 1})):
        results._db.execute("INSERT OR REPLACE INTO results VALUES ('k', 'U', 1000, ?)", (body,))
        assert await results.load("k") is None


async def test_everybody_has_one_voice(results) -> None:
    """A second word of the same person replaces the first; totals count every answer."""
    assert await results.rate("k1", "U1", useful=True) == Feedback(useful=1)
    assert await results.rate("k1", "U1", useful=True) == Feedback(useful=1)
    assert await results.rate("k1", "U2", useful=True) == Feedback(useful=2)
    assert await results.rate("k1", "U1", useful=False) == Feedback(useful=1, not_useful=1)
    await results.rate("k2", "U1", useful=False)
    assert await results.feedback("k1") == Feedback(useful=1, not_useful=1)
    assert await results.feedback("k3") == Feedback()
    assert await results.totals() == Feedback(useful=1, not_useful=2)


async def test_a_result_is_small(results) -> None:
    """What is kept of an answer is a matter of kilobytes."""
    await results.keep("k1", result())
    ((body,),) = sqlite3.connect(results._db.execute("PRAGMA database_list").fetchone()[2]).execute(
        "SELECT body FROM results"
    )
    assert len(body) < 10_000
