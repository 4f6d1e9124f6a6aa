"""Span metrics: the counters and histograms that collectors make of spans, by the names of all their generations. Pure.

One query asks for all of them at once; each answer carries the number of the generation that it is of, and the first
that is there is taken: no server keeps the same spans under two names for long.
"""

from __future__ import annotations

from msgspec import Struct

STEP = "{step}"
GENERATION = "generation"
OUTCOME = "outcome"
FAILED, ALL = "failed", "all"


class Generation(Struct, frozen=True):
    """One way of naming span metrics."""

    buckets: str  # the histogram of durations
    unit: str  # of its bounds
    calls: str  # the counter of spans
    service: str  # label
    operation: str  # label


GENERATIONS = (
    Generation("traces_spanmetrics_latency_bucket", "s", "traces_spanmetrics_calls_total", "service", "span_name"),
    Generation(
        "traces_span_metrics_duration_milliseconds_bucket", "ms", "traces_span_metrics_calls_total", "service_name",
        "span_name",
    ),
    Generation(
        "traces_span_metrics_duration_seconds_bucket", "s", "traces_span_metrics_calls_total", "service_name",
        "span_name",
    ),
    Generation("duration_milliseconds_bucket", "ms", "calls_total", "service_name", "span_name"),
    Generation("duration_seconds_bucket", "s", "calls_total", "service_name", "span_name"),
    Generation("latency_bucket", "ms", "calls_total", "service_name", "operation"),
)  # fmt: skip


def latency_template() -> str:
    """Return the query for the durations of an operation: how many requests fell into each bucket, step by step."""
    return " or ".join(
        _numbered(f"sum by (le) (increase({its.buckets}{_selector(its)}[{STEP}]))", number)
        for number, its in enumerate(GENERATIONS)
    )


def count_template(*, failed: bool) -> str:
    """Return the query for the number of an operation's requests, or of those that failed."""
    more = ', status_code="STATUS_CODE_ERROR"' if failed else ""
    seen: dict[tuple[str, str], str] = {}
    for number, its in enumerate(GENERATIONS):
        query = _numbered(f"sum(increase({its.calls}{_selector(its, more)}[{STEP}]))", number)
        seen.setdefault((its.calls, its.operation), query)
    return " or ".join(seen.values())


def _selector(its: Generation, more: str = "") -> str:
    return f'{{{its.service}="{{service}}", {its.operation}="{{operation}}"{more}}}'


def _numbered(query: str, number: int) -> str:
    return f'label_replace({query}, "{GENERATION}", "{number}", "", "")'
