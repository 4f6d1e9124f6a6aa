"""How an operation's requests went over time, as backends compute it from all of them. Pure."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

LOOKBACK_S = 6 * 3600
STEP_S = 300


class Bucket(NamedTuple):
    """Requests that took longer than `low_ns` and at most `high_ns`; where both are the same, nobody knows how long."""

    low_ns: int
    high_ns: int
    requests: int


class Latency(Struct, frozen=True):
    """How long requests took in one step of time. Quantiles come from buckets: they are "about" that long."""

    at: int  # unix seconds, where the step begins
    middle_ns: int  # the median
    tail_ns: int  # the 95th percentile
    buckets: tuple[Bucket, ...] = ()  # rising; empty where only quantiles come


class Failures(Struct, frozen=True):
    """Which share of the requests failed in one step of time."""

    at: int  # unix seconds, where the step begins
    share: float


class Totals(Struct, frozen=True, kw_only=True):
    """All requests of one window, as the backend counts them. Quantiles are "about" that long."""

    requests: int
    failed_share: float | None  # None: not known
    middle_ns: int
    tail_ns: int  # the 95th percentile


class Picked(Struct, frozen=True):
    """Which requests of a window are held against its others: those that failed, or that took longer than so (ns)."""

    slower_than_ns: int | None  # None: those that failed


class Contrast(Struct, frozen=True):
    """How frequent a value of an attribute is among the picked requests, and among the others."""

    attribute: str
    value: str
    picked_share: float
    other_share: float


class Contrasts(Struct, frozen=True):
    """Values of attributes in all requests of a window, as the backend counts them."""

    picked: int  # requests
    others: int
    values: tuple[Contrast, ...]


def quantile(buckets: tuple[Bucket, ...], q: float) -> int:
    """Return about the q-th quantile (ns), exponentially within a bucket, in the way in which Tempo reads its own."""
    wanted = q * sum(bucket.requests for bucket in buckets)
    seen = 0
    for low, high, count in buckets:
        if count and seen + count >= wanted:
            part = (wanted - seen) / count
            return round(low * (high / low) ** part) if low else round(high * part)
        seen += count
    return buckets[-1].high_ns if buckets else 0
