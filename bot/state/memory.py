"""Memory: what was answered where, and which causes it named, so that a cause that comes back is known again.

One `Answered` per answer that stood in a channel for all to see; what one person alone saw is not remembered. Whether
a channel may learn of an answer that stands in another one is decided in `bot.job.recollecting`. Kept in the ledger's
file; every call runs in a thread, off the event loop.
"""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec
from msgspec import Struct

from bot.settings import Retention
from bot.state.forgetting import REMEMBERED, Held
from bot.state.state_file import open_file

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

DAY_S = 24 * 3600
DEFAULT = Retention()
MOST_CAUSES = 8  # of one answer

Found = TypeVar("Found")


class Answered(Struct, frozen=True, kw_only=True):
    """One answer in a channel: what it said of which request, where it stands, and what it was made from."""

    key: str
    team: str
    channel: str
    ts: str  # of its message
    at: float  # unix seconds
    user: str
    user_name: str
    baseline_id: str  # "" where it was found and not named, and of windows
    suspect_id: str
    windows: str = ""  # what was compared, where it was no traces
    verdict: str  # `VerdictKind`
    headline: str
    request: str  # service and operation of what was compared
    about: tuple[str, ...]  # each cause in a sentence, with its service and operation
    fingerprints: tuple[str, ...]  # of the causes; the headline's first
    sources: tuple[str, ...]
    tenant: str | None


class Memory(Protocol):
    """Where answers are remembered: the ledger's file, or Redis (`bot.state.redis_memory`)."""

    async def remember(self, answered: Answered) -> None:
        """Remember an answer; the same one again replaces it."""

    async def seen(self, team: str, fingerprint: str, limit: int) -> list[Answered]:
        """Return the answers in a workspace that named a cause, newest first."""

    async def given(self, team: str, channel: str, limit: int) -> list[Answered]:
        """Return the answers in a channel, newest first, as long as `history` lists them."""

    async def tidy(self) -> None:
        """Drop what was kept long enough."""

    async def held(self) -> list[Held]:
        """List what is remembered."""

    async def forget(self, held: Sequence[Held]) -> None:
        """Drop some of it."""

    async def aclose(self) -> None:
        """Let go of the file or the connection."""


def lifetime_s(keep: Retention) -> float:
    """Return how long an answer is remembered, for the one use or the other."""
    return max(keep.history_days, keep.memory_days) * DAY_S


def read(bodies: Iterable[bytes]) -> list[Answered]:
    """Read what was kept; what another version wrote differently is as if it were gone."""
    found = []
    for body in bodies:
        try:
            found.append(msgspec.msgpack.decode(body, type=Answered))
        except msgspec.DecodeError:
            continue
    return found


def held_as(answered: Answered) -> Held:
    """Say whose answer it is."""
    return Held(
        what=REMEMBERED, key=answered.key, team=answered.team, channel=answered.channel, user=answered.user,
        at=answered.at,
    )  # fmt: skip


class SqliteMemory:
    """Answers in a SQLite file."""

    def __init__(self, file: Path | str, clock: Callable[[], float] = time.time, keep: Retention = DEFAULT) -> None:
        self._clock = clock
        self._keep = keep
        self._lock = threading.Lock()
        self._db = open_file(file)

    async def remember(self, answered: Answered) -> None:
        """Remember an answer; the same one again replaces it."""
        row = (answered.key, answered.team, answered.channel, answered.at, msgspec.msgpack.encode(answered))
        causes = [(answered.team, name, answered.key) for name in answered.fingerprints]

        def write(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", row)
            db.executemany("INSERT OR IGNORE INTO causes VALUES (?, ?, ?)", causes)

        await self._run(write)

    async def seen(self, team: str, fingerprint: str, limit: int) -> list[Answered]:
        """Return the answers in a workspace that named a cause, newest first."""
        return await self._read(
            "SELECT body FROM causes JOIN answers USING (key) "
            "WHERE causes.team = ? AND fingerprint = ? AND at >= ? ORDER BY at DESC LIMIT ?",
            team, fingerprint, self._clock() - self._keep.memory_days * DAY_S, limit,
        )  # fmt: skip

    async def given(self, team: str, channel: str, limit: int) -> list[Answered]:
        """Return the answers in a channel, newest first, as long as `history` lists them."""
        return await self._read(
            "SELECT body FROM answers WHERE team = ? AND channel = ? AND at >= ? ORDER BY at DESC LIMIT ?",
            team, channel, self._clock() - self._keep.history_days * DAY_S, limit,
        )  # fmt: skip

    async def tidy(self) -> None:
        """Drop what was kept long enough."""
        oldest = self._clock() - lifetime_s(self._keep)

        def drop(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM causes WHERE key IN (SELECT key FROM answers WHERE at < ?)", (oldest,))
            db.execute("DELETE FROM answers WHERE at < ?", (oldest,))

        await self._run(drop)

    async def held(self) -> list[Held]:
        """List what is remembered."""
        return [held_as(answered) for answered in await self._read("SELECT body FROM answers")]

    async def forget(self, held: Sequence[Held]) -> None:
        """Drop some of it."""
        keys = [(its.key,) for its in held]

        def drop(db: sqlite3.Connection) -> None:
            db.executemany("DELETE FROM causes WHERE key = ?", keys)
            db.executemany("DELETE FROM answers WHERE key = ?", keys)

        await self._run(drop)

    async def _read(self, sql: str, *values: object) -> list[Answered]:
        return read(body for (body,) in await self._run(lambda db: db.execute(sql, values).fetchall()))

    async def _run(self, work: Callable[[sqlite3.Connection], Found]) -> Found:
        """Do it wholly or not at all."""

        def locked() -> Found:
            with self._lock:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    done = work(self._db)
                except BaseException:
                    self._db.execute("ROLLBACK")
                    raise
                self._db.execute("COMMIT")
                return done

        return await asyncio.to_thread(locked)

    async def aclose(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()
