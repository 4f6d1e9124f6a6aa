"""Tempo's metrics queries: what is asked, and what the answers say. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, structs

from bot.sources.metrics import STEP_S, Bucket, Failures, Latency, Totals, quantile
from bot.sources.tempo_search import span_terms, trace_ql

if TYPE_CHECKING:
    from bot.sources.base import TraceQuery

NS = 1_000_000_000


class _Value(Struct, gc=False):
    doubleValue: float | None = None  # noqa: N815 - the wire's name


class _Label(Struct, gc=False):
    key: str
    value: _Value


class _Sample(Struct, gc=False):
    timestampMs: int  # noqa: N815 - see above
    value: float = 0.0  # not sent when it is 0


class _Series(Struct, gc=False):
    labels: list[_Label] | None = None
    samples: list[_Sample] | None = None
    value: float = 0.0  # of the whole range, where that was asked for; not sent when it is 0


class _Answer(Struct):
    series: list[_Series] | None = None


def latency_query(service: str, operation: str) -> str:
    """Return the query for the durations of an operation: counts per bucket, which are exact."""
    return f"{{ {' && '.join(span_terms(service, operation))} }} | histogram_over_time(duration)"


def count_query(service: str, operation: str, *, failed: bool) -> str:
    """Return the query for the number of an operation's requests, or of those that failed."""
    terms = [*span_terms(service, operation), *(["status = error"] if failed else [])]
    return f"{{ {' && '.join(terms)} }} | count_over_time()"


def range_parameters(query: str, window: tuple[int, int]) -> dict[str, str]:
    """Return what `/api/metrics/query_range` is asked."""
    return {"q": query, "start": str(window[0]), "end": str(window[1]), "step": f"{STEP_S}s"}


def histogram_parameters(query: TraceQuery) -> dict[str, str]:
    """Return what `/api/metrics/query` is asked for the durations of all spans that a query is about."""
    return over_all(query, "histogram_over_time(duration)")


def failed_parameters(query: TraceQuery) -> dict[str, str]:
    """Return what `/api/metrics/query` is asked for the number of those that failed."""
    return over_all(structs.replace(query, only_errors=True), "count_over_time()")


def over_all(query: TraceQuery, metric: str) -> dict[str, str]:
    """Return what `/api/metrics/query` is asked about all spans that a query is about."""
    return {"q": f"{trace_ql(query)} | {metric}", "start": str(query.window[0]), "end": str(query.window[1])}


def read_buckets(body: bytes) -> tuple[Bucket, ...]:
    """Read a histogram of a whole range, rising; raises `msgspec.MsgspecError`."""
    counts: dict[int, int] = defaultdict(int)
    for series in _read(body):
        if (bound := _bound(series)) is not None and series.value > 0:
            counts[round(bound * NS)] += round(series.value)
    return _rising(counts)


def read_number(body: bytes) -> int:
    """Read one number of a whole range; raises `msgspec.MsgspecError`."""
    return round(sum(series.value for series in _read(body)))


def totals(buckets: tuple[Bucket, ...], failed: int) -> Totals:
    """Sum up a window."""
    requests = sum(bucket.requests for bucket in buckets)
    return Totals(
        requests=requests, failed_share=min(1.0, failed / requests) if requests else None,
        middle_ns=quantile(buckets, 0.5), tail_ns=quantile(buckets, 0.95),
    )  # fmt: skip


def _bound(series: _Series) -> float | None:
    return next((label.value.doubleValue for label in series.labels or () if label.key == "__bucket"), None)


def read_latencies(body: bytes) -> list[Latency]:
    """Read a histogram; steps without requests are left out. Raises `msgspec.MsgspecError`."""
    counts: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for series in _read(body):
        bound = _bound(series)
        for sample in series.samples or ():
            if bound is not None and sample.value > 0:
                counts[_start(sample)][round(bound * NS)] += round(sample.value)
    steps = []
    for at, by_bound in sorted(counts.items()):
        buckets = _rising(by_bound)
        steps.append(Latency(at, quantile(buckets, 0.5), quantile(buckets, 0.95), buckets))
    return steps


def _rising(by_bound: dict[int, int]) -> tuple[Bucket, ...]:
    """Return buckets of powers of two from the requests by upper bound."""
    return tuple(Bucket(bound // 2, bound, count) for bound, count in sorted(by_bound.items()))


def read_counts(body: bytes) -> dict[int, int]:
    """Read numbers of requests by step; raises `msgspec.MsgspecError`."""
    counts: dict[int, int] = defaultdict(int)
    for series in _read(body):
        for sample in series.samples or ():
            counts[_start(sample)] += round(sample.value)
    return counts


def shares(failed: dict[int, int], requests: dict[int, int]) -> list[Failures]:
    """Return which share failed, for the steps with requests."""
    return [Failures(at, min(1.0, failed.get(at, 0) / count)) for at, count in sorted(requests.items()) if count]


def _read(body: bytes) -> list[_Series]:
    return msgspec.json.decode(body, type=_Answer, strict=False).series or []


def _start(sample: _Sample) -> int:
    """A sample carries the end of its step."""
    return sample.timestampMs // 1000 - STEP_S
