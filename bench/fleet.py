"""Measures the comparison of two windows: what it finds of injected changes, and how often it cries wolf.

    python bench/fleet.py [FOLDER] [--sizes 60 200 1000] [--repeats 20] [--quiet 200] [--seed 0] [--jobs 2]

FOLDER holds traces of one operation, a file each; without it healthy requests of simulated systems are used. From
them both windows are drawn again and again (with replacement and jitter of each group's time, under ids of their
own: a smoothed bootstrap), and one group of spans of the suspect's requests is made slower: in 1, 10 or 100 % of them,
by 5, 20 or 100 % of its time. Everything that waits for the group is moved:

    before   |--caller-----------|           after   |--caller----------------|
               |--group--| |-x-|                       |--group------| |-x-|

Affected requests also get a value of an attribute of their own ("build"), 96 % of them and 4 % of the others.

`possible`: the tests of the engine, asked about the changed group alone as if it were known, tell it with the same
chance of a false alarm: more than that no search through all groups can find with them.
`named first`: the changed group is the first cause; `told`: it is among the causes; `value`: its attribute is the
first that the cause names. False alarms: the same without any change.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from time import perf_counter
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from msgspec.structs import replace

from analysis import DEFAULTS, DecodeError, decode_many
from analysis.fleet import Observer, Window, compare_windows
from analysis.fleet.causes import series
from analysis.fleet.change import ask
from analysis.fleet.result import Measure
from analysis.operation_key import OperationKeys
from analysis.population.sample import call_paths
from analysis.population.typical import ABSENT
from analysis.profile import profile
from bench.simulate.pairs import healthy_traces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.fleet import FleetComparison
    from analysis.fleet.window import Observation
    from analysis.model import Trace

RATES = (0.01, 0.1, 1.0)
GROWTHS = (0.05, 0.2, 1.0)
JITTER = 0.05  # standard deviation of the logarithm of each group's time
BIG = 0.05  # groups with at least this share of the response time are changed
MOST_GROUPS = 4
SIMULATED = 60  # distinct requests of each simulated system
OPTIONS = replace(DEFAULTS, fleet_traces=100_000)
ATTRIBUTE = "app.build"
HITS, MISSES = 0.96, 0.04  # how often affected requests, and others, have the attribute's value
QUIET = ("no_meaningful_difference", "identical")


def slowed(trace: Trace, path: str, growth: float) -> Trace:
    """Make the group of a call path slower by a share of the time that it holds the request up."""
    seen = profile(trace, OperationKeys(), OPTIONS)
    names = call_paths(seen)
    group = next((group for group in seen.groups if names[id(group)] == path), None)
    if group is None or not group.exposed_ns:
        return trace
    own = [(end, span) for span, _, end in seen.path.segments if span in group.spans]
    at, owner = max(own)
    longer = round(growth * group.exposed_ns)
    tree = seen.tree
    waiting = {owner}
    while tree.parents[owner] >= 0:
        owner = tree.parents[owner]
        waiting.add(owner)
    spans = []
    for i, span in enumerate(tree.spans):
        start, end = tree.starts[i] + tree.origin_ns, tree.ends[i] + tree.origin_ns
        if i in waiting:
            end += longer if tree.ends[i] >= at else 0
        elif tree.starts[i] >= at:
            start, end = start + longer, end + longer
        spans.append(replace(span, start_ns=start, end_ns=end))
    return replace(trace, spans=tuple(spans))


@dataclass(frozen=True, slots=True)
class Fleet:
    """Requests to draw windows from, reduced, and the call paths that may be changed, largest first."""

    root: str
    traces: list[Trace]
    seen: list[Observation]
    paths: list[str]


def fleet_of(traces: Sequence[Trace]) -> Fleet:
    """Reduce the requests of the operation that most of them are of."""
    observer = Observer(OPTIONS)
    seen = [observer.observe(trace) for trace in traces]
    roots = [one.root for one in seen]
    root = max(sorted(set(roots)), key=roots.count)
    kept = [(trace, one) for trace, one in zip(traces, seen, strict=True) if one.root == root]
    whole = fmean(one.sample.response_ns for _, one in kept)
    paths = {path for _, one in kept for path in one.sample.groups}
    size = {path: fmean(one.sample.groups.get(path, ABSENT)[0] for _, one in kept) for path in paths}
    always = [path for path in sorted(paths, key=lambda p: (-size[p], p))
              if size[path] >= BIG * whole and all(path in one.sample.groups for _, one in kept)]  # fmt: skip
    return Fleet(root, [trace for trace, _ in kept], [one for _, one in kept], always[:MOST_GROUPS])


def draw(fleet: Fleet, size: int, side: str, rng: random.Random, slow: list[Observation] | None, rate: float) -> Window:
    """Draw one window; a share of `rate` of its requests is taken from `slow`, their slower selves."""
    made = []
    affected = set(rng.sample(range(size), round(rate * size))) if slow is not None else set()
    for number in range(size):
        index = rng.randrange(len(fleet.seen))
        one = slow[index] if slow is not None and number in affected else fleet.seen[index]
        groups = {path: (round(ns * rng.lognormvariate(0.0, JITTER)), *others)
                  for path, (ns, *others) in one.sample.groups.items()}  # fmt: skip
        response = sum(ns for ns, *_ in groups.values())
        sample = replace(one.sample, trace_id=f"{side}{number:031x}", groups=groups, response_ns=response)
        new = rng.random() < (HITS if number in affected else MISSES)
        values = {**one.values, fleet.root: one.values[fleet.root] | {(ATTRIBUTE, "new" if new else "old")}}
        made.append(replace(one, sample=sample, values=values))
    return Window.of(fleet.root, made, OPTIONS)


@dataclass(slots=True)
class Row:
    """What was found of one size, rate and growth."""

    tried: int = 0
    told: int = 0
    first: int = 0
    value: int = 0
    possible: int = 0


def judge(result: FleetComparison, path: str, fleet: Fleet) -> tuple[bool, bool, bool]:
    """Tell whether the changed group is told, is named first, and with the affected requests' value."""
    name = fleet.seen[0].names[path]
    wanted = (name.service, name.operation, name.kind.value)
    chain = []
    above = name.parent
    while above:
        other = fleet.seen[0].names[above]
        chain.append((other.service, other.operation, other.kind.value))
        above = other.parent
    whole = (*reversed(chain), wanted)
    hits = [cause for cause in result.causes if cause.path == whole and cause.detail == name.detail]
    first = bool(hits) and hits[0].rank == 1
    value = first and bool(hits[0].separators) and hits[0].separators[0].attribute == ATTRIBUTE
    return bool(hits), first, value


def possible(windows: tuple[Window, Window], path: str) -> bool:
    """Tell whether the tests tell the change of a group that is known beforehand."""
    tested = ask(series(windows, (path,), Measure.EXPOSED), OPTIONS)
    return tested is not None and tested.p <= OPTIONS.fleet_chance


Table = dict[tuple[int, float, float], Row]


def run(job: tuple[str, int, list[int], int, int]) -> tuple[Table, dict[int, list[bool]], list[float]]:
    """Measure one fleet: detection per (size, rate, growth), alarms per size, seconds per 1,000 traces."""
    folder, seed, sizes, repeats, quiet = job
    fleet = fleet_of(read(Path(folder)) if folder else healthy_traces(seed, SIMULATED))
    observer = Observer(OPTIONS)
    table: Table = {}
    alarms: dict[int, list[bool]] = {size: [] for size in sizes}
    took = []
    slower = {(path, growth): [observer.observe(slowed(trace, path, growth)) for trace in fleet.traces]
              for path in fleet.paths for growth in GROWTHS}  # fmt: skip
    for size in sizes:
        for number in range(repeats):
            rng = random.Random(f"{seed}:{size}:{number}")
            baseline = draw(fleet, size, "a", rng, None, 0.0)
            path = fleet.paths[number % len(fleet.paths)]
            for rate in RATES:
                for growth in GROWTHS:
                    suspect = draw(fleet, size, "b", rng, slower[path, growth], rate)
                    row = table.setdefault((size, rate, growth), Row())
                    told, first, value = judge(compare_windows((baseline, suspect), options=OPTIONS), path, fleet)
                    row.tried, row.told, row.first, row.value = row.tried + 1, row.told + told, row.first + first, row.value + value  # fmt: skip
                    row.possible += possible((baseline, suspect), path)
        for number in range(quiet):
            rng = random.Random(f"quiet:{seed}:{size}:{number}")
            windows = draw(fleet, size, "a", rng, None, 0.0), draw(fleet, size, "b", rng, None, 0.0)
            begun = perf_counter()
            result = compare_windows(windows, options=OPTIONS)
            took.append((perf_counter() - begun) / size * 1_000)
            alarms[size].append(result.verdict.kind.value not in QUIET)
    return table, alarms, took


def read(folder: Path) -> list[Trace]:
    """Read the traces of a folder."""
    files = sorted(file for file in folder.iterdir() if file.is_file())
    return [trace for file in files for trace in decode_many(file.read_bytes())]


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", default="", help="traces of one operation; default: simulated systems")
    parser.add_argument("--sizes", type=int, nargs="+", default=[60, 200, 1000], help="traces of each window")
    parser.add_argument("--repeats", type=int, default=20, help="windows drawn for each rate and growth")
    parser.add_argument("--quiet", type=int, default=200, help="windows drawn without any change")
    parser.add_argument("--systems", type=int, default=5, help="simulated systems, each with so many repeats")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    if options.folder and not Path(options.folder).is_dir():
        parser.error(f"{options.folder} is no folder")
    seeds = [options.seed] if options.folder else range(options.seed, options.seed + options.systems)
    jobs = [(options.folder, seed, options.sizes, options.repeats, options.quiet) for seed in seeds]
    try:
        if options.jobs > 1 and len(jobs) > 1:
            with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
                found = pool.map(run, jobs, chunksize=1)
        else:
            found = [run(job) for job in jobs]
    except DecodeError as error:
        parser.error(str(error))
    show(found)
    return 0


def show(found: list[tuple[Table, dict[int, list[bool]], list[float]]]) -> None:
    """Print what was found as a table of Markdown, and a last line for machines."""
    print("| traces x 2 | requests affected | slower by | possible | named first | told | value named |")
    print("|---|---|---|---|---|---|---|")
    for key in sorted({key for table, _, _ in found for key in table}):
        rows = [table[key] for table, _, _ in found]
        tried = sum(row.tried for row in rows)
        shares = [sum(getattr(row, name) for row in rows) / tried for name in ("possible", "first", "told", "value")]
        print(f"| {key[0]:,} | {key[1]:.0%} | {key[2]:.0%} | " + " | ".join(f"{s:.0%}" for s in shares) + " |")
    print("\n| traces x 2 | windows without a change | false alarms |\n|---|---|---|")
    for size in sorted({size for _, alarms, _ in found for size in alarms}):
        heard = [alarm for _, alarms, _ in found for alarm in alarms[size]]
        if heard:
            print(f"| {size:,} | {len(heard):,} | {sum(heard)} ({sum(heard) / len(heard):.1%}) |")
    times = [seconds for _, _, took in found for seconds in took]
    if times:
        print(f"\nfleet seconds_per_1000_traces={median(times):.3f}")


if __name__ == "__main__":
    raise SystemExit(main())
