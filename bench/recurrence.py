"""Scores what the engine says of a population: whether others show the cause too, and since when.

    python bench/recurrence.py [--seeds N] [--first SEED] [--traces 60] [--misses]

The population of a simulated system is told in time order, one request a minute, under four stories; the suspect
runs 15 minutes before its end, the baseline 5 minutes after its start:

    once          no other request meets the fault
    scattered     one request in ten meets it, all along
    consistent    every request of the second half meets it
    intermittent  four in ten requests of the second half meet it
    before        every request meets it, and the baseline is from an hour before

Only faults whose effect is clear are used. A line per story: how often the verdict is "slower", the first cause's
service right, and what is said of the others right (and, since when, within three requests).
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

sys.path.insert(0, str(Path(__file__).parents[1]))

from msgspec.structs import replace

from analysis import Comparison, Population, compare
from bench.simulate.pairs import Pair, healthy_traces, make_pair, troubled_traces

if TYPE_CHECKING:
    from analysis import Trace

FAULTS = ("slow_statement", "slow_operation", "edge_delay", "n_plus_one", "cpu_throttled", "lock_wait", "new_dependency",
          "retries_succeed", "slow_store", "slow_root")  # fmt: skip
SHARES = {
    "once": (0.0, 0.0),
    "scattered": (0.1, 0.1),
    "consistent": (0.0, 1.0),
    "intermittent": (0.0, 0.4),
    "before": (1.0, 1.0),
}
SAID = {
    "once": "once",
    "scattered": "intermittent",
    "consistent": "consistent",
    "intermittent": "intermittent",
    "before": "consistent",
}
START_NS, MINUTE_NS = 1_795_000_000 * 10**9, 60 * 10**9


def at(trace: Trace, minute: float, trace_id: str) -> Trace:
    """Return the trace, moved in time, under another id."""
    shift = START_NS + round(minute * MINUTE_NS) - min(s.start_ns for s in trace.spans)
    events = {id(s): tuple(replace(e, time_ns=e.time_ns + shift) for e in s.events) for s in trace.spans}
    spans = (
        replace(s, start_ns=s.start_ns + shift, end_ns=s.end_ns + shift, events=events[id(s)]) for s in trace.spans
    )
    return replace(trace, trace_id=trace_id, spans=tuple(spans))


def told(story: str, pair: Pair, healthy: list[Trace], troubled: list[Trace]) -> tuple[Comparison, int]:
    """Return the comparison under one story, and the index of the first request that met the fault."""
    rng = random.Random(crc32(f"{story} {pair.fault} {pair.seed}".encode()))
    n = len(healthy)
    early, late = SHARES[story]
    met = [rng.random() < (late if i >= n // 2 else early) for i in range(n)]
    traces = [at((troubled if m else healthy)[i], i, f"{i + 1:032x}") for i, m in enumerate(met)]
    baseline = at(pair.baseline, -60 if story == "before" else 5.5, "a" * 32)
    suspect = at(pair.suspect, n - 15.5, "b" * 32)
    return compare(baseline, suspect, Population.from_traces(traces)), met.index(True) if any(met) else n


def main() -> int:
    """Run and print a line per story."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=20, help="how many random systems")
    parser.add_argument("--first", type=int, default=0, help="seed of the first")
    parser.add_argument("--traces", type=int, default=60, help="size of a population")
    parser.add_argument("--misses", action="store_true", help="print what is not right")
    options = parser.parse_args()
    counts = {story: Counter[str]() for story in SHARES}
    for seed in range(options.first, options.first + options.seeds):
        healthy = healthy_traces(seed, options.traces)
        for fault in FAULTS:
            pair = make_pair(fault, seed)
            if pair is None or pair.label["strength"] != "clear" or not pair.label["latency_regression"]:
                continue
            troubled = troubled_traces(fault, seed, options.traces)
            for story, count in counts.items():
                result, first = told(story, pair, healthy, troubled)
                view = result.population.recurrence if result.population else None
                kind = view.kind.value if view else "nothing"
                when = (view.since_ns - START_NS) // MINUTE_NS if view and view.since_ns else None
                dated = story not in ("consistent", "intermittent") or (when is not None and abs(when - first) <= 3)
                slower = result.verdict.kind.value in ("slower", "failing")
                right = kind == SAID[story] and dated and (when is None or story in ("consistent", "intermittent"))
                count.update(
                    pairs=1, slower=slower, said=kind == SAID[story], right=right,
                    service=bool(result.causes) and result.causes[0].service in pair.label["root_cause_service"],
                )  # fmt: skip
                if options.misses and not (slower and right):
                    print(f"miss {story} {fault}:{seed} x{pair.label['ratio_root']} {result.verdict.kind.value} "
                          f"{result.verdict.confidence.value} said {kind} since {when} want {first}")  # fmt: skip
    print(f"{'story':<14} {'pairs':>6} {'slower':>8} {'service':>8} {'kind':>8} {'and when':>9}")
    for story, c in counts.items():
        shares = [c[name] / max(1, c["pairs"]) for name in ("slower", "service", "said", "right")]
        print(f"{story:<14} {c['pairs']:>6} " + " ".join(f"{s:>8.3f}" for s in shares))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
