"""The SQLite file that one process keeps its state in: how it is opened, and how an earlier version's becomes ours.

    PRAGMA user_version    0 an empty file, n: the first n steps were taken

Each step is taken once, all of those that are missing at once or none; a file of a later version is refused.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

STEPS = (
    """
    CREATE TABLE IF NOT EXISTS requests (
        key TEXT PRIMARY KEY, question TEXT NOT NULL, payload BLOB NOT NULL, state TEXT NOT NULL,
        root_ts TEXT NOT NULL DEFAULT '', channel TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
        accepted_at REAL NOT NULL, changed_at REAL NOT NULL
    );
    CREATE TABLE IF NOT EXISTS alerts (name TEXT PRIMARY KEY, key TEXT NOT NULL, seen_at REAL NOT NULL);
    CREATE INDEX IF NOT EXISTS requests_question ON requests (question, accepted_at);
    CREATE INDEX IF NOT EXISTS requests_channel ON requests (channel, accepted_at);
    CREATE INDEX IF NOT EXISTS requests_state ON requests (state);
    CREATE TABLE IF NOT EXISTS results (
        key TEXT PRIMARY KEY, user TEXT NOT NULL, made_at REAL NOT NULL, body BLOB NOT NULL
    );
    CREATE INDEX IF NOT EXISTS results_made_at ON results (made_at);
    CREATE INDEX IF NOT EXISTS results_user ON results (user, made_at);
    CREATE TABLE IF NOT EXISTS feedback (
        key TEXT NOT NULL, user TEXT NOT NULL, useful INTEGER NOT NULL, given_at REAL NOT NULL, PRIMARY KEY (key, user)
    );
    """,
    "ALTER TABLE requests ADD COLUMN asker TEXT NOT NULL DEFAULT ''",
    """
    CREATE TABLE IF NOT EXISTS answers (
        key TEXT PRIMARY KEY, team TEXT NOT NULL, channel TEXT NOT NULL, at REAL NOT NULL, body BLOB NOT NULL
    );
    CREATE INDEX IF NOT EXISTS answers_channel ON answers (team, channel, at);
    CREATE INDEX IF NOT EXISTS answers_at ON answers (at);
    CREATE TABLE IF NOT EXISTS causes (
        team TEXT NOT NULL, fingerprint TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (team, fingerprint, key)
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS causes_key ON causes (key);
    """,
)
VERSION = len(STEPS)
BUSY_S = 10.0


class StateError(RuntimeError):
    """The state cannot be used."""


def open_file(file: Path | str) -> sqlite3.Connection:
    """Open the file (or ":memory:") as this version needs it; raises `StateError`, `sqlite3.Error`."""
    db = sqlite3.connect(file, check_same_thread=False, isolation_level=None, timeout=BUSY_S)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("BEGIN IMMEDIATE")
    try:
        _take_steps(db, file)
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        db.close()
        raise
    return db


def _take_steps(db: sqlite3.Connection, file: Path | str) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if not 0 <= version <= VERSION:
        raise StateError(f"{file} was written by a later version (schema {version}, not {VERSION}); move it away")
    for statement in ";".join(STEPS[version:]).split(";"):
        try:
            db.execute(statement)
        except sqlite3.OperationalError as error:
            # A process of the version before that had not ended yet may have put the number back: taken already.
            if "duplicate column name" not in str(error):
                raise
    db.execute(f"PRAGMA user_version={VERSION}")
