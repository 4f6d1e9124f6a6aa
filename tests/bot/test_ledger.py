"""The ledger: nothing accepted is forgotten, nothing is asked twice."""

from __future__ import annotations

import sqlite3

import pytest

from bot.state.ledger import AlertName, SqliteLedger


@pytest.fixture
async def ledger(tmp_path):
    """Return a ledger with a clock that the test sets."""
    clock = [1000.0]
    made = SqliteLedger(tmp_path / "l.sqlite3", lambda: clock[0])
    made.set_clock = lambda now: clock.__setitem__(0, now)
    yield made
    await made.aclose()


async def test_the_same_question_is_known_for_a_while(ledger) -> None:
    """Within the window the earlier request is returned; after it the question is new."""
    assert await ledger.accept("k1", "q", "C", b"{}", 60) is None
    await ledger.posted("k1", "1.1")
    earlier = await ledger.accept("k2", "q", "C", b"{}", 60)
    assert earlier is not None
    assert (earlier.key, earlier.root_ts) == ("k1", "1.1")
    ledger.set_clock(1100.0)
    assert await ledger.accept("k3", "q", "C", b"{}", 60) is None


async def test_a_failed_question_may_be_asked_again_at_once(ledger) -> None:
    """Only answers stand in the way of asking again, not failures."""
    await ledger.accept("k1", "q", "C", b"{}", 60)
    await ledger.ended("k1", "failed")
    assert await ledger.accept("k2", "q", "C", b"{}", 60) is None


async def test_unfinished_requests_survive_a_restart(tmp_path) -> None:
    """What was accepted and not ended is there for the next process, with its progress."""
    first = SqliteLedger(tmp_path / "l.sqlite3")
    await first.accept("k1", "q1", "C", b"p1", 60)
    await first.accept("k2", "q2", "C", b"p2", 60)
    await first.started("k1")
    await first.posted("k1", "1.1")
    await first.ended("k2", "answered")
    await first.aclose()
    second = SqliteLedger(tmp_path / "l.sqlite3")
    (left,) = await second.unfinished()
    assert (left.key, left.payload, left.state, left.root_ts, left.attempts) == ("k1", b"p1", "posted", "1.1", 1)
    await second.aclose()


def test_a_file_of_another_version_is_refused(tmp_path) -> None:
    """A state file that this version cannot read is said, not misread."""
    file = tmp_path / "l.sqlite3"
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(RuntimeError, match="a later version"):
        SqliteLedger(file)


async def test_a_file_of_an_earlier_version_is_taken_over(tmp_path) -> None:
    """What the version before had accepted is answered by this one."""
    file = tmp_path / "l.sqlite3"
    before = SqliteLedger(file)
    await before.accept("k1", "q1", "C", b"p1", 60)
    await before.aclose()
    with sqlite3.connect(file) as db:
        db.execute("ALTER TABLE requests DROP COLUMN asker")
        db.execute("PRAGMA user_version=1")
    db.close()
    after = SqliteLedger(file)
    await after.accept("k2", "q2", "C", b"p2", 60, asker="U1")
    assert [entry.key for entry in await after.unfinished()] == ["k1", "k2"]
    await after.aclose()


async def test_the_same_alert_is_known_whatever_traces_it_names(ledger) -> None:
    """Another question about an alert that was answered is not new, until the alert's own time is over."""
    assert await ledger.accept("k1", "q1", "C", b"{}", 0, AlertName("a", 60)) is None
    earlier = await ledger.accept("k2", "q2", "C", b"{}", 0, AlertName("a", 60))
    assert earlier is not None
    assert earlier.key == "k1"
    assert await ledger.accept("k3", "q3", "C", b"{}", 0, AlertName("b", 60)) is None
    ledger.set_clock(1061.0)
    assert await ledger.accept("k4", "q4", "C", b"{}", 0, AlertName("a", 60)) is None
    again = await ledger.accept("k5", "q5", "C", b"{}", 0, AlertName("a", 60))
    assert again is not None
    assert again.key == "k4"


async def test_an_alert_without_an_answer_may_be_tried_again(ledger) -> None:
    """Failures do not stand in the way of the next time that it fires."""
    await ledger.accept("k1", "q1", "C", b"{}", 0, AlertName("a", 60))
    await ledger.ended("k1", "failed")
    assert await ledger.accept("k2", "q2", "C", b"{}", 0, AlertName("a", 60)) is None
