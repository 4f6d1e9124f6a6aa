"""What a watcher asks, in either ledger: nobody is pointed to an answer that may never come, and one answer suffices."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from bot.state.ledger import AlertName, SqliteLedger
from bot.state.redis_ledger import RedisLedger


@pytest.fixture(params=["embedded", "shared"])
async def ledger(request, tmp_path):
    """Return a ledger, in a file or on a real Redis, with a clock that the test sets."""
    clock = [1000.0]
    client = None
    if request.param == "embedded":
        made = SqliteLedger(tmp_path / "l.sqlite3", lambda: clock[0])
    else:
        client = Redis.from_url(request.getfixturevalue("redis_url"))
        await client.flushdb()
        made = RedisLedger(client, lambda: clock[0])
    made.set_clock = lambda now: clock.__setitem__(0, now)
    yield made
    await (made if client is None else client).aclose()


async def test_what_a_watcher_asks_keeps_nobody_from_asking_until_it_is_posted(ledger) -> None:
    """Of its failure nobody would hear. Another watcher's question, and people's, wait for it all the same."""
    alert = AlertName("a", 60)
    assert await ledger.accept("w1", "q", "C", b"{}", 60, alert, asker="T/C") is None
    again = await ledger.accept("w2", "q", "C", b"{}", 60, alert, asker="T/C")
    assert again.key == "w1"
    assert await ledger.accept("p1", "other", "C", b"{}", 60, alert, asker="T/U1", watcher="T/C") is None
    pointed = await ledger.accept("p2", "another", "C", b"{}", 60, alert, asker="T/U2", watcher="T/C")
    assert pointed.key == "p1"


@pytest.mark.parametrize(("question", "about"), [("q", None), ("other", AlertName("a", 60))])
async def test_a_watcher_answers_unless_somebody_who_asked_since_is_answered(ledger, question, about) -> None:
    """One answer suffices. Where that failed the watcher gives it, and is what later questions point to."""
    alert, asked = AlertName("a", 60), {"asker": "T/U1", "watcher": "T/C"}
    await ledger.accept("w", "q", "C", b"{}", 60, alert, asker="T/C")
    ledger.set_clock(1001.0)
    assert await ledger.accept("p", question, "C", b"{}", 60, about, **asked) is None
    assert await ledger.answering("w", "q", 60, alert) is False
    await ledger.ended("p", "failed")
    assert await ledger.answering("w", "q", 60, alert) is True
    assert await ledger.answering("w", "q", 60, alert) is True  # sent again
    pointed = await ledger.accept("p2", "x", "C", b"{}", 60, alert, **asked)
    assert (pointed.key, pointed.state) == ("w", "posted")
