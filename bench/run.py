"""`make bench`: speed and memory of the engine, as ratios in one run.

The floor is one typed msgspec decode of the same bytes (all fields, collector off), which any tool must pay.
Where `make bench-peer` has installed jaeger-mcp (in a virtual environment of its own), its comparison of the same
files is timed in the same run.

    python bench/run.py [--quick] [--only sizes|shapes|population|memory]
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import msgspec
from msgspec import Struct

from analysis import Population, Trace, compare, decode
from analysis.model import Resource, Span, SpanKind
from bench.simulate.big import big_trace
from bench.simulate.pairs import healthy_traces

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
PEER = HERE.parent / ".peer" / "bin" / "python"
SIZES = (1_000, 10_000, 50_000, 100_000)
PEER_SIZES = (1_000, 10_000, 50_000)  # above, it takes minutes


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
    """Return the median CPU time of some runs, garbage of the run before not included."""
    spent = []
    for _ in range(runs):
        gc.collect()
        before = time.process_time()
        work()
        spent.append(time.process_time() - before)
    return statistics.median(spent)


def sizes(wanted: tuple[int, ...]) -> None:
    """Print decode floor, decode, comparison and the peer for growing traces, and the growth of cost per span."""
    print(f"{'spans x2':>9} {'B/span':>7} {'floor s':>8} {'decode':>7} {'compare':>8} {'total':>6} {'spans/s':>8} "
          f"{'us/span':>8} {'jaeger-mcp s':>13} {'faster':>7}")  # fmt: skip
    costs = []
    for spans in wanted:
        a, b = big_trace(spans, 1), big_trace(spans, 1, suspect=True)
        gc.disable()
        base = seconds(partial(_each, floor.decode, a, b))
        gc.enable()
        decoding = seconds(partial(_each, decode, a, b))
        both = seconds(partial(_whole, a, b), 5 if spans <= 10_000 else 3)
        costs.append(1e6 * both / 2 / spans)
        peer = _peer(a, b) if spans in PEER_SIZES else None
        other = f"{peer:>13.3f} {peer / both:>6.1f}x" if peer is not None else f"{'-':>13} {'-':>7}"
        print(f"{spans:>9,} {len(a) / spans:>7.0f} {base:>8.4f} {decoding / base:>6.1f}x {(both - decoding) / base:>7.1f}x "
              f"{both / base:>5.1f}x {2 * spans / both:>8,.0f} {costs[-1]:>8.1f} {other}", flush=True)  # fmt: skip
    print(f"cost per span, {wanted[-1]:,} over {wanted[0]:,} spans: {costs[-1] / costs[0]:.2f}x")
    if not PEER.exists():
        print("jaeger-mcp is not installed: `make bench-peer` does it, in an environment of its own")


def _each(read: Callable[[bytes], object], a: bytes, b: bytes) -> None:
    read(a)
    read(b)


def _whole(a: bytes, b: bytes) -> None:
    compare(decode(a), decode(b))


def _peer(a: bytes, b: bytes) -> float | None:
    """Return the CPU seconds that jaeger-mcp needs for the same files; None where it is not installed."""
    if not PEER.exists():
        return None
    with tempfile.TemporaryDirectory() as folder:
        command = [str(PEER), str(HERE / "peer.py"), *_files(folder, a, b)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)["seconds"])


def shapes(scale: int) -> None:
    """Print the cost per span of shapes that quadratic code does not survive."""
    print(f"\n{'shape':<28} {'us/span':>8}")
    for name, trace in (
        (f"chain, {scale // 10:,} deep", chain(scale // 10)), (f"chain, {scale:,} deep", chain(scale)),
        (f"{scale // 10:,} same-name siblings", wide(scale // 10)),
        (f"{scale * 4 // 10:,} same-name siblings", wide(scale * 4 // 10)),
        (f"{scale:,} same-name siblings", wide(scale)),
        (f"{scale * 4 // 10:,} distinct siblings", wide(scale * 4 // 10, distinct=True)),
    ):  # fmt: skip
        spent = seconds(partial(compare, trace, _later(trace)), 3)
        print(f"{name:<28} {1e6 * spent / 2 / len(trace.spans):>8.1f}", flush=True)


def _trace(rows: list[tuple[int, int, str, int, int]]) -> Trace:
    shop = Resource("shop", {})
    spans = tuple(
        Span(f"{i:016x}", f"{parent:016x}" if parent else "", name, SpanKind.INTERNAL, shop, start, end, False, "", {})
        for i, parent, name, start, end in rows
    )
    return Trace("a" * 32, spans)


def _later(trace: Trace) -> Trace:
    """Return the trace under another id, so that it is compared and not recognised."""
    return Trace("b" * 32, trace.spans)


def chain(depth: int) -> Trace:
    """Return a chain of spans."""
    return _trace([(i + 1, i, "call", i, 10**9 - i) for i in range(depth)])


def wide(width: int, *, distinct: bool = False) -> Trace:
    """Return one caller with many callees."""
    letters = str.maketrans("0123456789", "abcdefghij")  # names must differ in more than a number
    rows = [(1, 0, "root", 0, 10**9)]
    names = (f"call {str(i).translate(letters)}" if distinct else "call" for i in range(width))
    return _trace(rows + [(i + 2, 1, name, i * 1000, i * 1000 + 900) for i, name in enumerate(names)])


def population() -> None:
    """Print the time to sum up 200 traces, to find the typical one, to store and merge, and to compare against them."""
    traces = next(t for t in (healthy_traces(seed, 200) for seed in range(100)) if 45 <= len(t[0].spans) <= 55)
    spans = sum(len(t.spans) for t in traces) / 200
    recent = Population.from_traces(traces)
    stored = recent.to_bytes()
    spent = [
        1e3 * seconds(work, 3)
        for work in (
            partial(Population.from_traces, traces), recent.typical, recent.to_bytes,
            partial(Population.from_bytes, stored), partial(recent.merge, recent), partial(compare, traces[0], traces[1]),
            partial(compare, traces[0], traces[1], recent),
        )
    ]  # fmt: skip
    print(f"\npopulation of 200 traces of {spans:.0f} spans: built in {spent[0]:.0f} ms (bar: 1000), typical {spent[1]:.0f} ms, "
          f"stored in {len(stored) / 1024:.0f} KiB (written {spent[2]:.1f}, read {spent[3]:.1f}, merged {spent[4]:.1f} ms), "
          f"a comparison takes {spent[6]:.1f} ms against it, {spent[5]:.1f} without")  # fmt: skip


def memory(wanted: tuple[int, ...]) -> None:
    """Print the peak memory of a comparison, each size in a process of its own."""
    print(f"\n{'spans x2':>9} {'files MiB':>9} {'peak MiB':>9}")
    for spans in wanted:
        a, b = big_trace(spans, 1), big_trace(spans, 1, suspect=True)
        with tempfile.TemporaryDirectory() as folder:
            names = _files(folder, a, b)
            command = [sys.executable, __file__, "--peak", *names]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
        print(f"{spans:>9,} {(len(a) + len(b)) / 2**20:>9.1f} {json.loads(done.stdout) / 1024:>9.0f}", flush=True)


def peak(names: list[str]) -> None:
    """Compare two files and print the peak memory in KiB."""
    a, b = (decode(Path(name).read_bytes()) for name in names)
    compare(a, b)
    print(high_water_kib())


def high_water_kib() -> int:
    """Return this process's peak resident memory (KiB).

    Not ru_maxrss where /proc is there: Linux carries that figure over from the parent through fork and exec, so a
    small child of a large benchmark would report the benchmark.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _files(folder: str, a: bytes, b: bytes) -> list[str]:
    names = [Path(folder, name) for name in ("a.json", "b.json")]
    for name, body in zip(names, (a, b), strict=True):
        name.write_bytes(body)
    return [str(name) for name in names]


def main() -> None:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small sizes only: a minute instead of several")
    parser.add_argument("--only", choices=("sizes", "shapes", "population", "memory"))
    parser.add_argument("--peak", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        peak(options.peak)
        return
    wanted = SIZES[:2] if options.quick else SIZES
    parts: dict[str, Callable[[], None]] = {
        "sizes": lambda: sizes(wanted),
        "shapes": lambda: shapes(10_000 if options.quick else 100_000),
        "population": population,
        "memory": lambda: memory(wanted),
    }
    for name, part in parts.items():
        if options.only in (None, name):
            part()


if __name__ == "__main__":
    main()
