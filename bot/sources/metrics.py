"""How an operation's requests went over time, as backends compute it from all of them. Pure."""

from __future__ import annotations

from msgspec import Struct

LOOKBACK_S = 6 * 3600
STEP_S = 300


class Latency(Struct, frozen=True):
    """How long requests took in one step of time. Quantiles come from buckets: they are "about" that long."""

    at: int  # unix seconds, where the step begins
    middle_ns: int  # the median
    tail_ns: int  # the 95th percentile
    buckets: tuple[tuple[int, int], ...] = ()  # (upper bound in ns, requests), rising; empty where only quantiles come


class Failures(Struct, frozen=True):
    """Which share of the requests failed in one step of time."""

    at: int  # unix seconds, where the step begins
    share: float


def quantile(buckets: tuple[tuple[int, int], ...], q: float) -> int:
    """Return about the q-th quantile (ns) of power-of-two buckets, in the way in which Tempo's own reads them."""
    wanted = q * sum(count for _, count in buckets)
    seen = 0
    for bound, count in buckets:
        if count and seen + count >= wanted:
            return round(bound / 2 * 2 ** ((wanted - seen) / count))
        seen += count
    return buckets[-1][0] if buckets else 0
