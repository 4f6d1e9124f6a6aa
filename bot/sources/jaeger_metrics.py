"""Jaeger's Service Performance Monitoring: what is asked, and what the answers say. Pure."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from bot.sources.metrics import STEP_S, Failures, Latency, Totals

if TYPE_CHECKING:
    from collections.abc import Iterator

NS_PER_MS = 1_000_000


class _Gauge(Struct, gc=False):
    doubleValue: float | str = math.nan  # noqa: N815 - the wire's name; "NaN" is sent as text


class _Point(Struct, gc=False):
    timestamp: datetime
    gaugeValue: _Gauge = msgspec.field(default_factory=_Gauge)  # noqa: N815 - see above


class _Label(Struct, gc=False):
    name: str
    value: str


class _Metric(Struct, gc=False):
    labels: list[_Label] | None = None
    metricPoints: list[_Point] | None = None  # noqa: N815 - see above


class _Family(Struct):
    metrics: list[_Metric] | None = None


def parameters(
    service: str, window: tuple[int, int], quantile: float | None = None, step_s: int = STEP_S
) -> dict[str, str]:
    """Return what `/api/metrics/...` is asked: all operations of a service, in steps."""
    asked = {
        "service": service,
        "groupByOperation": "true",
        "endTs": f"{window[1]}000",
        "lookback": f"{window[1] - window[0]}000",
        "step": f"{step_s}000",
        "ratePer": f"{step_s}000",
    }
    return asked if quantile is None else asked | {"quantile": str(quantile)}


def read_points(body: bytes, operation: str) -> dict[int, float]:
    """Read one operation's values by step; raises `msgspec.MsgspecError`."""
    family = msgspec.json.decode(body, type=_Family)
    return dict(sorted(_points(family, operation)))


def _points(family: _Family, operation: str) -> Iterator[tuple[int, float]]:
    for metric in family.metrics or ():
        if any(label.name == "operation" and label.value == operation for label in metric.labels or ()):
            for point in metric.metricPoints or ():
                value = point.gaugeValue.doubleValue
                if isinstance(value, float) and math.isfinite(value):
                    yield int(point.timestamp.timestamp()) - STEP_S, value


def latencies(middle_ms: dict[int, float], tail_ms: dict[int, float]) -> list[Latency]:
    """Put medians and 95th percentiles together, for the steps that have both."""
    return [
        Latency(at, round(middle_ms[at] * NS_PER_MS), round(tail * NS_PER_MS))
        for at, tail in tail_ms.items()
        if middle_ms.get(at, 0) > 0 and tail > 0
    ]


def totals(
    calls: dict[int, float],
    errors: dict[int, float],
    middle_ms: dict[int, float],
    tail_ms: dict[int, float],
    step_s: int,
) -> Totals | None:
    """Sum up a window that was asked about as one step: its last point; None where nothing was counted."""
    rates, middles, tails = ([value for _, value in sorted(its.items())] for its in (calls, middle_ms, tail_ms))
    if not rates or rates[-1] <= 0 or not middles or not tails:
        return None
    failed = [share for _, share in sorted(errors.items())]
    return Totals(
        requests=max(1, round(rates[-1] * step_s)), failed_share=min(1.0, max(0.0, failed[-1])) if failed else None,
        middle_ns=round(middles[-1] * NS_PER_MS), tail_ns=round(tails[-1] * NS_PER_MS),
    )  # fmt: skip


def failures(shares: dict[int, float]) -> list[Failures]:
    """Return the shares of requests that failed."""
    return [Failures(at, min(1.0, max(0.0, share))) for at, share in shares.items()]
