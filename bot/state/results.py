"""Results: what was answered, kept for the buttons under it, and what people thought of it.

Kept in the ledger's file, so that a button works after a restart and until its result is too old. Every call runs in
a thread, off the event loop.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
import zlib
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec
from msgspec import Struct

from analysis.comparison import SCHEMA_VERSION
from analysis.fleet.result import SCHEMA_VERSION as FLEET_VERSION
from bot.inquiry.result import Kept, WindowsResult
from bot.requests.request import Origin
from bot.settings import Retention
from bot.state.forgetting import RESULT, VOTE, Held
from bot.state.state_file import StateError, open_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


MOST = 2_000  # results; about 10 KB each
DAY_S = 24 * 3600
DEFAULT = Retention()

Found = TypeVar("Found")


class Feedback(Struct, frozen=True, kw_only=True):
    """How many people found an answer useful, and how many did not."""

    useful: int = 0
    not_useful: int = 0


class Results(Protocol):
    """Where results and feedback are kept: the ledger's file, or Redis (`bot.state.redis_results`)."""

    async def keep(self, key: str, result: Kept) -> None:
        """Keep a result; the oldest go when there are too many, or when they are too old."""

    async def load(self, key: str) -> Kept | None:
        """Return a result; None when it is not kept any more, or was kept by a version that said it differently."""

    async def of(self, user: str, limit: int) -> list[str]:
        """Return the keys of what somebody asked for, newest first."""

    async def rate(self, key: str, user: str, *, useful: bool) -> Feedback:
        """Write down what somebody thinks of an answer; a second word of the same person replaces the first."""

    async def feedback(self, key: str) -> Feedback:
        """Return what people thought of one answer."""

    async def totals(self) -> Feedback:
        """Return what people thought of all answers of the past year."""

    async def tidy(self) -> None:
        """Drop what was kept long enough."""

    async def held(self) -> list[Held]:
        """List results and votes."""

    async def forget(self, held: Sequence[Held]) -> None:
        """Drop some of them."""

    async def aclose(self) -> None:
        """Let go of the file."""


def packed(result: Kept) -> bytes:
    """Encode a result for keeping."""
    return zlib.compress(msgspec.msgpack.encode(result), 1)


def unpacked(body: bytes) -> Kept | None:
    """Read what `packed` wrote; None for what another version wrote differently."""
    try:
        found: Kept = msgspec.msgpack.decode(zlib.decompress(body), type=Kept)
    except (msgspec.DecodeError, zlib.error):
        return None
    if isinstance(found, WindowsResult):
        return found if found.compared.answer.comparison.schema_version == FLEET_VERSION else None
    return found if found.answer.comparison.schema_version == SCHEMA_VERSION else None


class _Made(Struct, frozen=True):
    """What of a result says whose it is."""

    origin: Origin


def held_as(key: str, user: str, at: float, body: bytes) -> Held:
    """Say whose result it is; of one that another version wrote, only who asked."""
    try:
        origin = msgspec.msgpack.decode(zlib.decompress(body), type=_Made).origin
    except (msgspec.DecodeError, zlib.error):
        origin = Origin(team="", channel="", user=user, user_name="")
    return Held(what=RESULT, key=key, team=origin.team, channel=origin.channel, user=origin.user, at=at)


class SqliteResults:
    """Results and feedback in a SQLite file."""

    def __init__(self, file: Path | str, clock: Callable[[], float] = time.time, keep: Retention = DEFAULT) -> None:
        self._clock = clock
        self._keep = keep
        self._lock = threading.Lock()
        self._db = open_file(file)

    async def keep(self, key: str, result: Kept) -> None:
        """Keep a result; the oldest go when there are too many, or when they are too old."""

        def write() -> None:
            now = self._clock()
            row = (key, result.origin.user, now, packed(result))
            self._db.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)", row)
            self._db.execute(
                "DELETE FROM results WHERE made_at < ? OR key NOT IN "
                "(SELECT key FROM results ORDER BY made_at DESC LIMIT ?)",
                (now - self._keep.results_days * DAY_S, MOST),
            )

        await self._run(write)

    async def tidy(self) -> None:
        """Drop what was kept long enough."""

        def drop() -> None:
            now = self._clock()
            self._db.execute("DELETE FROM results WHERE made_at < ?", (now - self._keep.results_days * DAY_S,))
            self._db.execute("DELETE FROM feedback WHERE given_at < ?", (now - self._keep.votes_days * DAY_S,))

        await self._run(drop)

    async def held(self) -> list[Held]:
        """List results and votes."""

        def read() -> list[Held]:
            results = self._db.execute("SELECT key, user, made_at, body FROM results").fetchall()
            votes = self._db.execute("SELECT key, user, given_at FROM feedback").fetchall()
            return [
                *(held_as(key, user, at, body) for key, user, at, body in results),
                *(Held(what=VOTE, key=key, team="", channel="", user=user, at=at) for key, user, at in votes),
            ]

        return await self._run(read)

    async def forget(self, held: Sequence[Held]) -> None:
        """Drop some of them."""

        def drop() -> None:
            votes = [(its.key, its.user) for its in held if its.what == VOTE]
            self._db.executemany("DELETE FROM results WHERE key = ?", [(i.key,) for i in held if i.what == RESULT])
            self._db.executemany("DELETE FROM feedback WHERE key = ? AND user = ?", votes)

        await self._run(drop)

    async def load(self, key: str) -> Kept | None:
        """Return a result; None when it is not kept any more, or was kept by a version that said it differently."""

        def read() -> Kept | None:
            row = self._db.execute(
                "SELECT body FROM results WHERE key = ? AND made_at >= ?",
                (key, self._clock() - self._keep.results_days * DAY_S),
            ).fetchone()
            return None if row is None else unpacked(row[0])

        return await self._run(read)

    async def of(self, user: str, limit: int) -> list[str]:
        """Return the keys of what somebody asked for, newest first."""
        sql = "SELECT key FROM results WHERE user = ? ORDER BY made_at DESC LIMIT ?"
        return await self._run(lambda: [str(key) for (key,) in self._db.execute(sql, (user, limit)).fetchall()])

    async def rate(self, key: str, user: str, *, useful: bool) -> Feedback:
        """Write down what somebody thinks of an answer; a second word of the same person replaces the first."""

        def write() -> Feedback:
            self._db.execute(
                "INSERT OR REPLACE INTO feedback VALUES (?, ?, ?, ?)", (key, user, int(useful), self._clock())
            )
            return self._feedback("WHERE key = ?", key)

        return await self._run(write)

    async def feedback(self, key: str) -> Feedback:
        """Return what people thought of one answer."""
        return await self._run(lambda: self._feedback("WHERE key = ?", key))

    async def totals(self) -> Feedback:
        """Return what people thought of all answers of the past year."""
        return await self._run(lambda: self._feedback(""))

    def _feedback(self, which: str, *values: str) -> Feedback:
        rows = self._db.execute(f"SELECT useful, COUNT(*) FROM feedback {which} GROUP BY useful", values)  # noqa: S608 - `which` is ours
        counts = dict(rows.fetchall())
        return Feedback(useful=counts.get(1, 0), not_useful=counts.get(0, 0))

    async def _run(self, work: Callable[[], Found]) -> Found:
        def locked() -> Found:
            with self._lock:
                try:
                    return work()
                except sqlite3.Error as error:
                    raise StateError(str(error)) from error

        return await asyncio.to_thread(locked)

    async def aclose(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()
