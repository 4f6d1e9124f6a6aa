"""When the trouble was, from what an alert says about time."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LOOK_BACK_S = 15 * 60  # a rule fires minutes after the first bad request: its range, its pending time, its interval
MAX_AGE_S = 30 * 86_400  # an older start is a mistake or another alert's
MAX_AHEAD_S = 86_400  # clocks differ, time zones are left out

STARTED = (
    "startsat", "starts_at", "started_at", "started", "start_time", "start", "triggered_at", "last_triggered_at",
    "triggered", "fired_at", "firing_since", "active_since", "since", "alert_time", "created_at", "created",
)  # fmt: skip
ENDED = ("endsat", "ends_at", "ended_at", "ended", "end_time", "resolved_at", "resolved", "recovered_at", "closed_at")

_ISO = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.\d{1,9})?\s?(Z|UTC|GMT|[+-]\d{2}:?\d{2})?", re.IGNORECASE
)
_LONG = re.compile(r"\b([A-Z][a-z]{2} [A-Z][a-z]{2} \d{1,2} \d{4} \d{2}:\d{2}:\d{2}) UTC")
_UNIX = re.compile(r"\b(\d{10}|\d{13}|\d{16}|\d{19})\b")


def find_window(
    labels: Mapping[str, str], start: int | None, end: int | None, ts: int | None
) -> tuple[tuple[int, int] | None, bool]:
    """Return when the trouble was, in Unix seconds, and whether the alert itself said so.

    The window ends at the end that the alert gives, else when the message was posted. It begins `LOOK_BACK_S` before
    the start that the alert gives, else before its end. Times more than `MAX_AGE_S` before or `MAX_AHEAD_S` after
    the message are not believed. `start` and `end` are what the shape of the alert says; else labels are read
    (`startsAt`, `Resolved at`, ...). None when there is no time at all, not even the message's.
    """
    start = _believed(start, ts) or _believed(_of(labels, STARTED), ts)
    end = _believed(end, ts) or _believed(_of(labels, ENDED), ts)
    said = start is not None or end is not None
    end = end or ts or start
    if end is None:
        return None, False
    start = end if start is None or start > end else start
    return (start - LOOK_BACK_S, end), said


def _of(labels: Mapping[str, str], names: tuple[str, ...]) -> int | None:
    return next(filter(None, (read_time(labels[name]) for name in names if name in labels)), None)


def _believed(time: int | None, ts: int | None) -> int | None:
    if time is None or (ts is not None and not ts - MAX_AGE_S <= time <= ts + MAX_AHEAD_S):
        return None
    return time


def read_time(text: str) -> int | None:
    """Read the first time in a text as Unix seconds: ISO 8601 or alike (UTC unless it says), or Unix time itself."""
    text = text[:200]
    iso, long, unix = _ISO.search(text), _LONG.search(text), _UNIX.search(text)
    try:
        if iso:
            zone = (iso[3] or "Z").upper()
            offset = "+00:00" if zone in {"Z", "UTC", "GMT"} else zone
            return int(datetime.fromisoformat(f"{iso[1]}T{iso[2]}{offset}").timestamp())
        if long:
            return int(datetime.strptime(long[1], "%a %b %d %Y %H:%M:%S").replace(tzinfo=UTC).timestamp())
    except (ValueError, OverflowError):
        return None
    return int(unix[1][:10]) if unix else None
