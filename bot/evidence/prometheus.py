"""Prometheus' query API: what is asked, and what the answers say. Pure.

Also Mimir, Thanos, VictoriaMetrics and Grafana's data source proxy, which answer alike. A sample of a range query
covers the step before it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from bot.evidence.span_metrics import GENERATION, GENERATIONS, count_template, latency_template
from bot.settings.queries import filled
from bot.sources.metrics import STEP_S, Bucket, Failures, Latency, quantile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.settings import MetricSettings

NS = {"s": 1_000_000_000, "ms": 1_000_000}
SERIES = 2_000  # of one answer that are looked at
NEVER_NS = 10**18  # no request takes thirty years


class _Series(Struct, gc=False):
    metric: dict[str, str] = {}
    values: list[tuple[float, str]] = []


class _Data(Struct, gc=False):
    result: list[_Series] = []


class _Status(Struct, gc=False):
    status: str = ""


class _Answer(Struct, gc=False):
    status: str = ""
    data: _Data | None = None


class Series(Struct, frozen=True):
    """One line of an answer: its labels, and (unix seconds, value) in time order."""

    labels: dict[str, str]
    points: tuple[tuple[int, float], ...]


def latency_query(settings: MetricSettings, service: str, operation: str) -> str:
    """Return the query for the durations of an operation."""
    return filled(settings.latency_query or latency_template(), service=service, operation=operation, step=f"{STEP_S}s")


def count_query(settings: MetricSettings, service: str, operation: str, *, failed: bool) -> str:
    """Return the query for the number of an operation's requests, or of those that failed."""
    own = settings.failures_query if failed else settings.requests_query
    template = own or count_template(failed=failed)
    return filled(template, service=service, operation=operation, step=f"{STEP_S}s")


def range_parameters(query: str, window: tuple[int, int], step_s: int = STEP_S) -> dict[str, str]:
    """Return what `/api/v1/query_range` is asked; the steps are the same whenever somebody asks."""
    start = window[0] // step_s * step_s
    return {"query": query, "start": str(start), "end": str(max(start, window[1])), "step": str(step_s)}


def read_series(body: bytes) -> list[Series]:
    """Read a range query's answer; raises `msgspec.MsgspecError` or `ValueError`."""
    answer = msgspec.json.decode(body, type=_Answer)
    if answer.status != "success" or answer.data is None:
        raise ValueError("not the answer of a range query")
    return [
        Series(series.metric, tuple((int(at), value) for at, value in _numbers(series.values)))
        for series in answer.data.result[:SERIES]
    ]


def read_status(body: bytes) -> str:
    """Read whether a query succeeded; raises as `read_series`."""
    status = msgspec.json.decode(body, type=_Status).status
    if status != "success":
        raise ValueError(f"the status is {status[:40] or 'missing'}")
    return status


def _numbers(values: Iterable[tuple[float, str]]) -> list[tuple[float, float]]:
    """Keep what is a number; nobody knows what NaN and the infinities would mean here."""
    numbers = [(at, float(text)) for at, text in values if math.isfinite(at)]
    return [(at, value) for at, value in numbers if math.isfinite(value)]


def read_latencies(body: bytes, unit: str) -> list[Latency]:
    """Read cumulative buckets; steps without requests are left out. Raises as `read_series`."""
    series = read_series(body)
    generation = _first(series)
    if generation is not None:
        unit = GENERATIONS[generation].unit
    below: dict[int, dict[float, float]] = defaultdict(dict)
    for its in series:
        bound = _bound(its.labels.get("le", ""))
        if bound is None or _generation(its) != generation:
            continue
        for at, count in its.points:
            below[at - STEP_S][bound] = max(0.0, count)
    steps = []
    for at, counts in sorted(below.items()):
        buckets = _buckets(counts, NS[unit])
        if sum(bucket.requests for bucket in buckets):
            steps.append(Latency(at, quantile(buckets, 0.5), quantile(buckets, 0.95), buckets))
    return steps


def _buckets(below: dict[float, float], unit_ns: int) -> tuple[Bucket, ...]:
    """Turn counts of requests below each bound into counts of those between two; what is beyond all has no end."""
    buckets, low, counted = [], 0, 0
    for bound, count in sorted(below.items()):
        total = max(counted, round(count))  # extrapolation can leave the counts a little out of order
        high = min(NEVER_NS, round(bound * unit_ns)) if math.isfinite(bound) else low
        buckets.append(Bucket(low, high, total - counted))
        low, counted = high, total
    return tuple(buckets)


def _bound(text: str) -> float | None:
    try:
        bound = float(text)
    except ValueError:
        return None
    return None if math.isnan(bound) or bound < 0 else bound


def read_counts(body: bytes) -> dict[int, int]:
    """Read numbers of requests by step; raises as `read_series`."""
    series = read_series(body)
    generation = _first(series)
    counts: dict[int, int] = defaultdict(int)
    for its in series:
        if _generation(its) == generation:
            for at, count in its.points:
                counts[at - STEP_S] += max(0, round(min(count, 1e15)))
    return counts


def failures_of(failed: dict[int, int], requests: dict[int, int]) -> list[Failures]:
    """Return which share failed, for the steps with requests."""
    return [Failures(at, min(1.0, failed.get(at, 0) / count)) for at, count in sorted(requests.items()) if count]


def _first(series: list[Series]) -> int | None:
    """Return the first generation of span metrics that an answer is of; None for a query of one's own."""
    return min((number for its in series if its.points and (number := _generation(its)) is not None), default=None)


def _generation(series: Series) -> int | None:
    text = series.labels.get(GENERATION, "")
    return int(text) if text.isascii() and text.isdigit() and int(text) < len(GENERATIONS) else None
