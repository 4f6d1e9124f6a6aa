"""Windows of requests in a line: what their query takes, how often it is made, and what else is true of each."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from conftest import TraceBuilder

from analysis.model import SpanKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from analysis.model import Trace

_NUMBERS = count(1)


def window(
    times: Iterable[float],
    *,
    calls: Callable[[int], int] = lambda _: 1,
    failing: Callable[[int], bool] = lambda _: False,
    attributes: Callable[[int], dict] = lambda _: {},
    resource: Callable[[int], dict] = lambda _: {},
    root: str = "GET /cart",
) -> list[Trace]:
    """Return one request per time (ms) of its query; the functions are asked for each by its index."""
    requests = []
    for i, ms in enumerate(times):
        t = TraceBuilder(trace_id=f"{next(_NUMBERS):032x}")
        n, bad, place = calls(i), failing(i), resource(i)
        top = t.span(root, 0, 10 + n * ms, kind=SpanKind.SERVER, service="shop", error=bad, attributes=attributes(i))
        call = t.span("POST /price", 2, 8 + n * ms, top, kind=SpanKind.CLIENT, service="shop", error=bad)
        served = t.span(
            "POST /price", 3, 7 + n * ms, call, kind=SpanKind.SERVER, service="pricing", error=bad, resource=place
        )
        for k in range(n):
            start = 5 + k * ms
            t.span(
                "SELECT price",
                start,
                start + ms,
                served,
                kind=SpanKind.CLIENT,
                service="pricing",
                error=bad,
                resource=place,
            )
        requests.append(t.build())
    return requests


def wave(n: int, middle: float = 20.0, spread: float = 4.0) -> list[float]:
    """Return n times (ms) around a middle, the same ones each time, in no order of size."""
    return [middle + spread * (((i * 37) % n) / n - 0.5) for i in range(n)]
