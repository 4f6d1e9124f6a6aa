"""The request ledger: what was accepted, and what became of it.

    accepted --> posted (the root message is in the channel) --> answered | failed

What a watcher asks is heard of only once it is answered, so until it is `posted` it keeps nobody from asking.

A row is written before the first message and after each step, so that after a crash nothing is answered twice
and nothing is forgotten. SQLite in a file; every call runs in a thread, off the event loop.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import msgspec
from msgspec import Struct

from bot.requests.request import Origin
from bot.settings import Retention
from bot.state.forgetting import REQUEST, Held
from bot.state.state_file import VERSION, StateError, open_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

DAY_S = 24 * 3600
DEFAULT = Retention()


class Room(Struct, frozen=True, kw_only=True):
    """How many requests may be without an answer: in all, of one person, of one channel."""

    total: int
    asker: int
    channel: int


class FullError(Exception):
    """A request is not accepted: too many have no answer. `whose`: "all", "asker" or "channel"."""

    def __init__(self, whose: str, count: int) -> None:
        self.whose = whose
        self.count = count
        super().__init__(f"{count} requests without an answer ({whose})")


class Pending(Struct, frozen=True, kw_only=True):
    """What was accepted and has no answer yet."""

    count: int
    oldest_s: float  # age of the oldest; 0 without any


class Entry(Struct, frozen=True, kw_only=True):
    """One request in the ledger."""

    key: str
    payload: bytes
    state: str
    root_ts: str
    channel: str
    attempts: int
    accepted_at: float  # unix seconds


class AlertName(Struct, frozen=True):
    """What makes two messages the same alert, and for how long an answer to one is an answer to both."""

    name: str
    window_s: float


class Ledger(Protocol):
    """Where requests are written down: a file of one process, or Redis for many (`bot.state.redis_ledger`)."""

    async def accept(
        self, key: str, question: str, channel: str, payload: bytes, window_s: float, alert: AlertName | None = None,
        *, asker: str = "", room: Room | None = None, watcher: str = "",
    ) -> Entry | None:  # fmt: skip
        """Write down a request; returns the earlier one instead if the question was asked within `window_s`.

        With `alert` the earlier one may also be any that was about the same alert, whichever traces it named. One of
        the asker `watcher`, of whose failure nobody would hear, counts only once it is posted. Raises `FullError` for
        a new one when there is no `room`.
        """

    async def entry(self, key: str) -> Entry | None:
        """Return one request; None when it is unknown or was kept long enough."""

    async def started(self, key: str) -> int:
        """Count one more attempt at a request; returns how many there were with this one."""

    async def attempts(self, key: str) -> int:
        """Return how many attempts at a request were started."""

    async def posted(self, key: str, root_ts: str) -> None:
        """Remember the root message of a request."""

    async def answering(self, key: str, question: str, window_s: float, alert: AlertName | None = None) -> bool:
        """Say that what a watcher asked is posted now; False when somebody asked the same since, and hears of it.

        From then on it is what a repeated question, or the alert when it fires again, points to.
        """

    async def ended(self, key: str, state: str) -> None:
        """Close a request: `answered` or `failed`."""

    async def unfinished(self) -> list[Entry]:
        """Return the requests that were accepted and have no answer, oldest first."""

    async def recent(self, channel: str, limit: int) -> list[Entry]:
        """Return what was answered in a channel for all to see, newest first."""

    async def pending(self) -> Pending:
        """Count the requests that were accepted and have no answer; raises `StateError` where nothing can be read."""

    async def check(self) -> None:
        """Try to write without changing anything; raises `StateError` where that cannot be done."""

    async def tidy(self) -> None:
        """Drop what was kept long enough."""

    async def held(self) -> list[Held]:
        """List the requests that have ended."""

    async def forget(self, held: Sequence[Held]) -> None:
        """Drop some of them."""

    async def aclose(self) -> None:
        """Let go of the file or the connection."""


class _Asked(Struct, frozen=True):
    """What of a request's payload says whose it is."""

    origin: Origin


def held_as(entry: Entry) -> Held:
    """Say whose request an entry is; of one that another version wrote, only where it was made is known."""
    try:
        origin = msgspec.json.decode(entry.payload, type=_Asked).origin
    except msgspec.DecodeError:
        origin = Origin(team="", channel=entry.channel, user="", user_name="")
    return Held(
        what=REQUEST, key=entry.key, team=origin.team, channel=entry.channel, user=origin.user, at=entry.accepted_at
    )


class SqliteLedger:
    """Requests in a SQLite file (or ":memory:")."""

    def __init__(self, file: Path | str, clock: Callable[[], float] = time.time, keep: Retention = DEFAULT) -> None:
        self._clock = clock
        self._keep_s = keep.history_days * DAY_S
        self._lock = threading.Lock()
        self._db = open_file(file)

    async def accept(
        self, key: str, question: str, channel: str, payload: bytes, window_s: float, alert: AlertName | None = None,
        *, asker: str = "", room: Room | None = None, watcher: str = "",
    ) -> Entry | None:  # fmt: skip
        """Write down a request; returns the earlier one instead if the question was asked within `window_s`.

        With `alert` the earlier one may also be any that was about the same alert, whichever traces it named. One of
        the asker `watcher`, of whose failure nobody would hear, counts only once it is posted. Raises `FullError` for
        a new one when there is no `room`.
        """
        return await asyncio.to_thread(
            self._accept, key, question, channel, payload, window_s, alert, asker, room, watcher
        )

    def _accept(
        self, key: str, question: str, channel: str, payload: bytes, window_s: float, alert: AlertName | None,
        asker: str, room: Room | None, watcher: str,
    ) -> Entry | None:  # fmt: skip
        now = self._clock()
        with self._changing():
            earlier = self._asked(question, now - window_s, watcher) or self._about(alert, now, watcher)
            if earlier is None:
                if room is not None:
                    self._make_sure_of(room, asker, channel)
                self._point(alert, key, now)
                self._db.execute(
                    "INSERT INTO requests (key, question, payload, state, channel, accepted_at, changed_at, asker) "
                    "VALUES (?, ?, ?, 'accepted', ?, ?, ?, ?)",
                    (key, question, payload, channel, now, now, asker),
                )
        return earlier

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Change several things wholly or not at all."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise

    def _asked(self, question: str, since: float, watcher: str = "") -> Entry | None:
        """Return the newest request that asked the same and did not fail."""
        row = self._db.execute(
            "SELECT key, payload, state, root_ts, channel, attempts, accepted_at FROM requests "
            "WHERE question = ? AND accepted_at > ? AND state != 'failed' AND NOT (state = 'accepted' AND asker = ? "
            "AND asker != '') ORDER BY accepted_at DESC LIMIT 1",
            (question, since, watcher),
        ).fetchone()
        return _entry(row) if row else None

    def _about(self, alert: AlertName | None, now: float, watcher: str = "") -> Entry | None:
        """Return the request that an alert led to last, unless it failed."""
        if alert is None:
            return None
        row = self._db.execute(
            "SELECT r.key, payload, state, root_ts, channel, attempts, accepted_at "
            "FROM requests AS r JOIN alerts AS a ON a.key = r.key WHERE a.name = ? AND a.seen_at > ? "
            "AND state != 'failed' AND NOT (state = 'accepted' AND asker = ? AND asker != '')",
            (alert.name, now - alert.window_s, watcher),
        ).fetchone()
        return _entry(row) if row else None

    def _point(self, alert: AlertName | None, key: str, now: float) -> None:
        """Have an alert point to a request."""
        if alert is not None:
            self._db.execute("INSERT OR REPLACE INTO alerts VALUES (?, ?, ?)", (alert.name, key, now))

    def _make_sure_of(self, room: Room, asker: str, channel: str) -> None:
        """Count what has no answer; raises `FullError`."""
        counts = self._db.execute(
            "SELECT count(*), sum(asker = ?), sum(channel = ?) FROM requests WHERE state IN ('accepted', 'posted')",
            (asker, channel),
        ).fetchone()
        full(room, *(int(count or 0) for count in counts))

    async def started(self, key: str) -> int:
        """Count one more attempt at a request; returns how many there were with this one."""
        sql = "UPDATE requests SET attempts = attempts + 1, changed_at = ? WHERE key = ? RETURNING attempts"
        rows = await self._query(sql, self._clock(), key)
        return int(str(rows[0][0])) if rows else 1

    async def attempts(self, key: str) -> int:
        """Return how many attempts at a request were started."""
        rows = await self._query("SELECT attempts FROM requests WHERE key = ?", key)
        return int(str(rows[0][0])) if rows else 0

    async def posted(self, key: str, root_ts: str) -> None:
        """Remember the root message of a request."""
        sql = "UPDATE requests SET state = 'posted', root_ts = ?, changed_at = ? WHERE key = ?"
        await self._query(sql, root_ts, self._clock(), key)

    async def answering(self, key: str, question: str, window_s: float, alert: AlertName | None = None) -> bool:
        """Say that what a watcher asked is posted now; False when somebody asked the same since, and hears of it.

        From then on it is what a repeated question, or the alert when it fires again, points to.
        """
        return await asyncio.to_thread(self._answering, key, question, window_s, alert)

    def _answering(self, key: str, question: str, window_s: float, alert: AlertName | None) -> bool:
        now = self._clock()
        with self._changing():
            since = self._asked(question, now - window_s), self._about(alert, now)
            if any(other is not None and other.key != key for other in since):
                return False
            self._point(alert, key, now)
            self._db.execute("UPDATE requests SET state = 'posted', changed_at = ? WHERE key = ?", (now, key))
        return True

    async def ended(self, key: str, state: str) -> None:
        """Close a request: `answered` or `failed`."""
        await self._query("UPDATE requests SET state = ?, changed_at = ? WHERE key = ?", state, self._clock(), key)

    async def unfinished(self) -> list[Entry]:
        """Return the requests that were accepted and have no answer, oldest first."""
        rows = await self._query(
            "SELECT key, payload, state, root_ts, channel, attempts, accepted_at FROM requests "
            "WHERE state IN ('accepted', 'posted') ORDER BY accepted_at"
        )
        return [_entry(row) for row in rows]

    async def pending(self) -> Pending:
        """Count the requests that were accepted and have no answer; raises `StateError` where nothing can be read."""
        sql = "SELECT count(*), min(accepted_at) FROM requests WHERE state IN ('accepted', 'posted')"
        try:
            ((count, oldest),) = await self._query(sql)
        except sqlite3.Error as error:
            raise StateError(str(error)) from None
        age_s = 0.0 if oldest is None else max(0.0, self._clock() - float(str(oldest)))
        return Pending(count=int(str(count)), oldest_s=age_s)

    async def check(self) -> None:
        """Write to the file without changing anything in it; raises `StateError` where that cannot be done."""
        try:
            await self._query(f"PRAGMA user_version={VERSION}")
        except sqlite3.Error as error:
            raise StateError(str(error)) from None

    async def recent(self, channel: str, limit: int) -> list[Entry]:
        """Return what was answered in a channel for all to see, newest first."""
        rows = await self._query(
            "SELECT key, payload, state, root_ts, channel, attempts, accepted_at FROM requests "
            "WHERE channel = ? AND state = 'answered' AND root_ts != '' ORDER BY accepted_at DESC LIMIT ?",
            channel, limit,
        )  # fmt: skip
        return [_entry(row) for row in rows]

    async def tidy(self) -> None:
        """Drop what was kept long enough."""
        oldest = self._clock() - self._keep_s
        await self._query("DELETE FROM alerts WHERE seen_at < ?", oldest)
        await self._query("DELETE FROM requests WHERE accepted_at < ? AND state IN ('answered', 'failed')", oldest)

    async def held(self) -> list[Held]:
        """List the requests that have ended."""
        rows = await self._query(
            "SELECT key, payload, state, root_ts, channel, attempts, accepted_at FROM requests "
            "WHERE state IN ('answered', 'failed')"
        )
        return [held_as(_entry(row)) for row in rows]

    async def forget(self, held: Sequence[Held]) -> None:
        """Drop some of them."""

        def drop() -> None:
            keys = [(its.key,) for its in held]
            with self._lock:
                self._db.executemany("DELETE FROM requests WHERE key = ?", keys)
                self._db.executemany("DELETE FROM alerts WHERE key = ?", keys)

        await asyncio.to_thread(drop)

    async def _query(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        def run() -> list[tuple[object, ...]]:
            with self._lock:
                return self._db.execute(sql, values).fetchall()

        return await asyncio.to_thread(run)

    async def entry(self, key: str) -> Entry | None:
        """Return one request; None when it is unknown or was kept long enough."""
        rows = await self._query(
            "SELECT key, payload, state, root_ts, channel, attempts, accepted_at FROM requests WHERE key = ?", key
        )
        return _entry(rows[0]) if rows else None

    async def aclose(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()


def full(room: Room, total: int, asker: int, channel: int) -> None:
    """Raise `FullError` when there is no room for one more."""
    for whose, count, most in (
        ("asker", asker, room.asker), ("channel", channel, room.channel), ("all", total, room.total),
    ):  # fmt: skip
        if count >= most:
            raise FullError(whose, count)


def _entry(row: tuple[object, ...]) -> Entry:
    key, payload, state, root_ts, channel, attempts, accepted_at = row
    return Entry(
        key=str(key), payload=bytes(payload) if isinstance(payload, bytes) else b"", state=str(state),
        root_ts=str(root_ts), channel=str(channel), attempts=int(str(attempts)), accepted_at=float(str(accepted_at)),
    )  # fmt: skip
