"""Traffic of the playground: a recorded request replayed every few seconds, as its Jaeger would have it.

    three hours before          half an hour before       the start             now
    |------- healthy -----------|- four in ten are slow --|- goes on ------------->

What is replayed is a recorded trace, under an id and at a time of its own, a little quicker or slower as a whole. Which
one, and by how much, is told by how many requests lie between it and the start: nothing is kept, and the two windows
compare in the same way whenever the playground is started.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from msgspec import json

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERY_S = 30
BEFORE_S = 3 * 3600
TROUBLE_S = 1800
SLOW = 0.4  # of the requests, since the trouble began
MARK = "7eafc0de"  # the first digits of every replay's id
KEPT = 2_000  # replays; each is about 30 kB


class Traffic:
    """Replays one healthy and one slow trace (Jaeger JSON) around a start, in unix seconds."""

    def __init__(self, healthy: bytes, slow: bytes, started_at: int) -> None:
        self._healthy = _Recording(healthy)
        self._slow = _Recording(slow)
        self.trouble_since = started_at - TROUBLE_S
        self.started_at = started_at
        self._first = (started_at - BEFORE_S) // EVERY_S
        self._origin = started_at // 60 * 60 // EVERY_S  # commands name minutes: their windows end here
        self._made = lru_cache(KEPT)(self._make)

    def ids(self, start_ns: int, end_ns: int, now: int) -> Iterator[str]:
        """Name the requests that began in a time, newest first."""
        low = max(self._first, -(-start_ns // (EVERY_S * 10**9)))
        high = min(now // EVERY_S, -(-end_ns // (EVERY_S * 10**9)) - 1)
        return (f"{MARK}{number:024x}" for number in range(high, low - 1, -1))

    def jaeger(self, trace_id: str) -> bytes | None:
        """Return a replay as Jaeger v1 JSON, or None."""
        if not trace_id.startswith(MARK):
            return None
        number = int(trace_id[len(MARK) :], 16)
        return self._made(number) if number >= self._first else None

    def _make(self, number: int) -> bytes:
        at = number * EVERY_S
        chance = [byte / 256 for byte in sha256(str(number - self._origin).encode()).digest()]
        slow = at >= self.trouble_since and chance[0] < SLOW
        stretched = 0.9 + 0.1 * (chance[1] + chance[2])
        return (self._slow if slow else self._healthy).replayed(f"{MARK}{number:024x}", at, stretched)


class _Recording:
    """One recorded trace, ready to be told again."""

    def __init__(self, body: bytes) -> None:
        (self._trace,) = json.decode(body)["data"]
        self._began: int = min(span["startTime"] for span in self._trace["spans"])

    def replayed(self, trace_id: str, at: int, stretched: float) -> bytes:
        """Return it under another id, at another time (unix seconds), all of its times stretched."""
        start = at * 1_000_000

        def moved(time: int) -> int:
            return start + round((time - self._began) * stretched)

        spans: list[dict[str, Any]] = [
            span
            | {
                "traceID": trace_id,
                "startTime": moved(span["startTime"]),
                "duration": moved(span["startTime"] + span["duration"]) - moved(span["startTime"]),
                "references": [reference | {"traceID": trace_id} for reference in span.get("references") or ()],
                "logs": [log | {"timestamp": moved(log["timestamp"])} for log in span.get("logs") or ()],
            }
            for span in self._trace["spans"]
        ]
        return json.encode({"data": [self._trace | {"traceID": trace_id, "spans": spans}]})
