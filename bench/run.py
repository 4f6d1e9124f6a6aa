"""`make bench`: speed and memory of the engine, as ratios in one run.

The floor is one typed msgspec decode of the same bytes (all fields, collector off), which any tool must pay.
"""

from __future__ import annotations

import gc
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import msgspec
from generate import big_trace
from msgspec import Struct
from simulate import healthy

from analysis import Population, Trace, compare, decode
from analysis.model import Resource, Span, SpanKind

if TYPE_CHECKING:
    from collections.abc import Callable


class Tag(Struct, gc=False):
    """A Jaeger tag."""

    key: str
    type: str
    value: Any


class Reference(Struct, gc=False):
    """A Jaeger reference."""

    refType: str
    traceID: str
    spanID: str


class JaegerSpan(Struct, gc=False):
    """A Jaeger span, every field."""

    traceID: str
    spanID: str
    operationName: str
    references: list[Reference]
    startTime: int
    duration: int
    tags: list[Tag]
    logs: list[Any]
    processID: str
    warnings: Any


class Process(Struct, gc=False):
    """A Jaeger process."""

    serviceName: str
    tags: list[Tag]


class JaegerTrace(Struct, gc=False):
    """A Jaeger trace."""

    traceID: str
    spans: list[JaegerSpan]
    processes: dict[str, Process]
    warnings: Any


class Body(Struct, gc=False):
    """A Jaeger answer."""

    data: list[JaegerTrace]
    errors: Any


floor = msgspec.json.Decoder(Body)


def seconds(work: Callable[[], object], runs: int = 5) -> float:
    """Return the median CPU time of some runs."""
    spent = []
    for _ in range(runs):
        before = time.process_time()
        work()
        spent.append(time.process_time() - before)
    return statistics.median(spent)


def sizes() -> None:
    """Print decode floor, decode and comparison for growing traces."""
    print(f"{'spans x2':>9} {'floor s':>8} {'decode':>7} {'compare':>8} {'total':>6} {'spans/s':>8} {'us/span':>8}")
    for spans in (1_000, 10_000, 50_000, 100_000):
        a, b = big_trace(spans, 1), big_trace(spans, 1, suspect=True)
        gc.disable()
        base = seconds(lambda a=a, b=b: (floor.decode(a), floor.decode(b)))
        gc.enable()
        decoding = seconds(lambda a=a, b=b: (decode(a), decode(b)))
        both = seconds(lambda a=a, b=b: compare(decode(a), decode(b)), 3)
        rate = 2 * spans / both
        print(f"{spans:>9,} {base:>8.4f} {decoding / base:>6.1f}x {(both - decoding) / base:>7.1f}x {both / base:>5.1f}x "
              f"{rate:>8,.0f} {1e6 / rate:>8.1f}", flush=True)  # fmt: skip


def shapes() -> None:
    """Print the cost per span of shapes that quadratic code does not survive."""
    print(f"\n{'shape':<28} {'us/span':>8}")
    for name, trace in (
        ("chain, 10,000 deep", chain(10_000)), ("chain, 100,000 deep", chain(100_000)),
        ("10,000 same-name siblings", wide(10_000)), ("100,000 same-name siblings", wide(100_000)),
        ("40,000 distinct siblings", wide(40_000, distinct=True)),
    ):  # fmt: skip
        spent = seconds(lambda trace=trace: compare(trace, trace), 3)
        print(f"{name:<28} {1e6 * spent / 2 / len(trace.spans):>8.1f}", flush=True)


def _trace(rows: list[tuple[int, int, str, int, int]]) -> Trace:
    resource_ = Resource("shop", {})
    return Trace(
        "a" * 32,
        tuple(
            Span(
                f"{i:016x}",
                f"{parent:016x}" if parent else "",
                name,
                SpanKind.INTERNAL,
                resource_,
                start,
                end,
                False,
                "",
                {},
            )
            for i, parent, name, start, end in rows
        ),
    )


def chain(depth: int) -> Trace:
    """Return a chain of spans."""
    return _trace([(i + 1, i, "call", i, 10**9 - i) for i in range(depth)])


def wide(width: int, *, distinct: bool = False) -> Trace:
    """Return one caller with many callees."""
    word = lambda i: "".join("abcdefghij"[int(d)] for d in str(i))  # noqa: E731 - letters, so that names stay distinct
    rows = [(1, 0, "root", 0, 10**9)]
    return _trace(
        rows + [(i + 2, 1, f"call {word(i)}" if distinct else "call", i * 1000, i * 1000 + 900) for i in range(width)]
    )


def population() -> None:
    """Print the time to sum up 200 traces."""
    traces = [healthy(3, i) for i in range(200)]
    spans = sum(len(t.spans) for t in traces) / 200
    print(
        f"\npopulation of 200 traces of {spans:.0f} spans: {seconds(lambda: Population.from_traces(traces), 3):.2f} s"
    )


def memory() -> None:
    """Print the peak memory of a comparison of 2 x 100,000 spans, in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--peak"], capture_output=True, text=True, check=True)
    print(f"peak memory of 2 x 100,000 spans: {json.loads(done.stdout) / 1024:.0f} MiB")


def peak() -> None:
    """Compare 2 x 100,000 spans and print the peak memory in KiB."""
    compare(decode(big_trace(100_000, 1)), decode(big_trace(100_000, 1, suspect=True)))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    if "--peak" in sys.argv:
        peak()
    else:
        sizes()
        shapes()
        population()
        memory()
