"""Scores the engine on simulated systems, and its confidence against the truth.

    python bench/accuracy.py [--seeds N] [--first SEED] [--fault NAME] [--population N] [--misses] [--jobs 2]
    python bench/accuracy.py --show FAULT:SEED      one pair: its label, both trees, what the engine says

Per fault: how often the first cause names an accepted service, service and operation, and kind, and how often
the verdict is right. Two sorts of pairs count only against a confident wrong answer ("misled"): those whose fault
chance hides, and those where it shows so little that silence or a cautious guess is all one can ask ("faint"). The last lines are for machines: `name key=value ...`.
"""

from __future__ import annotations

import argparse
import fnmatch
import multiprocessing
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from analysis import Comparison, Population, compare, render_text
from bench.simulate.faults import FAULTS
from bench.simulate.pairs import Pair, healthy_traces, make_pair
from bench.simulate.wire import tree

if TYPE_CHECKING:
    from bench.simulate.labels import Label

QUIET = frozenset({"no_meaningful_difference", "identical"})
ANY = frozenset({"slower", "faster", "failing", "changed", "no_meaningful_difference"})
TIMES = ("latency", "improvement")  # faults that show in nothing but times, or need not be seen when they hardly do
UNJUDGED = ("faint", "hidden", "noisy")
LEVELS = ("high", "medium", "low")


def accepted_verdicts(label: Label) -> frozenset[str]:
    """Return the verdicts that are right for a pair with a fault."""
    mode, strength = label["mode"], label["strength"]
    if mode == "identical":
        return frozenset({"identical"})
    if mode == "different":
        return frozenset({"not_comparable"})
    if mode == "none":
        return QUIET | set(label["verdicts_also_right"])
    if not label["knowable"] or (strength == "hidden" and mode in ("latency", "improvement")):
        return ANY
    if label["error_regression"]:
        return frozenset({"failing", "slower"} if label["latency_regression"] else {"failing"})
    if mode == "improvement":
        return (
            frozenset({"faster"})
            if strength == "clear"
            else frozenset({"faster", "changed", "no_meaningful_difference"})
        )
    if mode == "latency":
        usual = {"slower"} if strength == "clear" else {"slower", "changed", "no_meaningful_difference"}
        return frozenset(usual | ({"failing"} if label["error_spans"] else set()))
    return ANY


@dataclass(slots=True)
class Outcome:
    """How the engine did on one pair."""

    fault: str
    seed: int
    judged: str  # "cause" | "faint" | "hidden" | "quiet" | "noisy" | "other" (identical, not comparable)
    verdict: str
    confidence: str
    verdict_right: bool
    service: bool = False
    operation: bool = False
    kind: bool = False
    detail: str = ""

    @property
    def right(self) -> bool:
        """Whether the answer as a whole helps rather than misleads."""
        named = self.service and self.operation
        if self.judged == "cause":
            return self.verdict_right and named
        if self.judged in ("faint", "hidden"):
            return self.verdict in QUIET or named
        return self.verdict_right or self.judged == "noisy"

    @property
    def miss(self) -> bool:
        """Whether the pair is worth looking at."""
        if self.judged in ("faint", "hidden"):
            return self.confidence == "high" and not self.right
        return not self.right or (self.judged == "cause" and not self.kind)


def _unsaid(label: Label) -> bool:
    """Tell whether another path left the time and the services as they were: a cache miss does as much."""
    return label["mode"] == "path" and label["strength"] == "hidden" and not label["services_changed"]


def judge(pair: Pair, result: Comparison, usual_ms: float = 0.0) -> Outcome:
    """Hold a comparison against the truth; `usual_ms`: longest response of the population it was judged against."""
    label = pair.label
    if usual_ms and label["strength"] == "clear" and label["faulty"]["root_ms"] < 1.15 * usual_ms:
        label = {**label, "strength": "modest", "latency_regression": False}  # such requests are usual here
    verdict, confidence = result.verdict.kind.value, result.verdict.confidence.value
    accepted = accepted_verdicts(label)
    verdict_right = verdict in accepted
    services, patterns = set(label["root_cause_service"]), label["root_cause_operation"]
    mode, strength = label["mode"], label["strength"]
    if mode == "none":
        judged = "noisy" if label["noisy"] else "quiet"
        verdict_right = verdict_right or (confidence == "low" and (not usual_ms or label["incomplete"]))
    elif mode in ("identical", "different"):
        judged = "other"
    elif not label["knowable"] or (strength == "hidden" and mode in ("latency", "improvement")):
        judged = "hidden"
    else:
        judged = "cause"
    outcome = Outcome(pair.fault, pair.seed, judged, verdict, confidence, verdict_right)
    # A change that leaves the response time alone stands among the causes, not always first.
    aside = mode in ("path", "completion") and strength == "hidden"
    for cause in result.causes[: 3 if aside else 1] if services else ():
        service = cause.service in services
        operation = service and any(fnmatch.fnmatchcase(cause.operation, p.replace("[", "[[]")) for p in patterns)
        kind = cause.kind.value in label["kinds_accepted"]
        best = max((service, operation, kind), (outcome.service, outcome.operation, outcome.kind))
        outcome.service, outcome.operation, outcome.kind = best
    cautious = verdict in QUIET or confidence == "low"
    if judged == "cause" and cautious and (_unsaid(label) or (mode in TIMES and strength == "modest")):
        outcome.judged = "faint"
    causes = [(c.kind.value, c.service, c.operation, c.peer_service, round(c.share, 2)) for c in result.causes[:3]]
    outcome.detail = (
        f"x{label['ratio_root']} {label['delta_root_ms']} ms effect {label['effect_ms']} {strength}"
        f" want {sorted(accepted)} {sorted(services)} {patterns} {label['kinds_accepted']}"
        f" got {verdict} {confidence} {causes}"
    )
    return outcome


def _recent(seed: int, size: int) -> tuple[Population | None, float]:
    """Return the population of a system and its longest response."""
    traces = healthy_traces(seed, size)
    roots = [next(s for s in t.spans if not s.parent_id) for t in traces]
    longest = max(((r.end_ns - r.start_ns) / 1e6 for r in roots), default=0.0)
    return (Population.from_traces(traces) if size else None), longest


def run_seed(job: tuple[int, tuple[str, ...], int]) -> list[Outcome]:
    """Compare all pairs of one system."""
    seed, faults, size = job
    recent, usual_ms = _recent(seed, size)
    outcomes = []
    for fault in faults:
        pair = make_pair(fault, seed)
        if pair is not None:
            outcomes.append(judge(pair, compare(pair.baseline, pair.suspect, recent), usual_ms))
    return outcomes


@dataclass(slots=True)
class Row:
    """Sums over outcomes."""

    judged: Counter[str] = field(default_factory=Counter)
    sums: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """Count an outcome."""
        self.judged[outcome.judged] += 1
        self.sums["right"] += outcome.right
        if outcome.judged in UNJUDGED:
            self.sums["misled"] += outcome.miss
        else:
            self.sums["verdict"] += outcome.verdict_right
        if outcome.judged == "cause":
            self.sums.update(service=outcome.service, operation=outcome.operation, kind=outcome.kind)

    def share(self, name: str) -> float | None:
        """Return the share of pairs that are right in one respect; None when none was judged by it."""
        n = self.judged["cause"]
        if name == "verdict":
            n = sum(n for judged, n in self.judged.items() if judged not in UNJUDGED)
        return self.sums[name] / n if n else None

    def line(self, name: str) -> str:
        """Format as a row of the table."""
        cells = [self.share(column) for column in ("service", "operation", "kind", "verdict")]
        shares = " ".join(f"{'-' if c is None else f'{c:.3f}':>9}" for c in cells)
        n = sum(self.judged.values())
        return (
            f"{name:<28} {n:>5} {shares} {self.judged['faint']:>7} {self.judged['hidden']:>7} {self.sums['misled']:>7}"
        )


def print_tables(outcomes: list[Outcome], faults: tuple[str, ...]) -> None:
    """Print the table per fault, confidence against truth, false alarms and the summary lines."""
    print(
        f"{'fault':<28} {'n':>5} {'service@1':>9} {'op@1':>9} {'kind@1':>9} {'verdict':>9} {'faint':>7} {'hidden':>7} {'misled':>7}"
    )
    rows = {fault: Row() for fault in faults}
    total = Row()
    for outcome in outcomes:
        rows[outcome.fault].add(outcome)
        total.add(outcome)
    for fault, row in rows.items():
        print(row.line(fault))
    print(total.line("all"))
    print(f"\n{'confidence':<12} {'with a fault':>20} {'healthy':>20} {'all':>20}")
    for level in LEVELS:
        cells = []
        for wanted in ({"cause"}, {"quiet", "other"}, {"cause", "faint", "hidden", "quiet", "other"}):
            seen = [o for o in outcomes if o.confidence == level and o.judged in wanted]
            right = sum(o.right for o in seen)
            cells.append(f"{right:>6}/{len(seen):<6} {right / len(seen):.3f}" if seen else "-")
        print(f"{level:<12} " + " ".join(f"{cell:>20}" for cell in cells))
    healthy = [o for o in outcomes if o.judged == "quiet"]
    loud = [o for o in healthy if o.verdict not in QUIET]
    sure = [o for o in loud if o.confidence != "low"]
    n = max(1, len(healthy))
    print(f"\nfalse-alarms pairs={len(healthy)} any={len(loud) / n:.4f} medium_or_high={len(sure) / n:.4f} "
          f"high={sum(o.confidence == 'high' for o in loud) / n:.4f}")  # fmt: skip
    share = {name: total.share(name) for name in ("service", "operation", "kind", "verdict")}
    print("all pairs=" + str(len(outcomes)) + " " + " ".join(f"{k}={v:.4f}" for k, v in share.items() if v is not None))
    for level in LEVELS:
        seen = [o for o in outcomes if o.confidence == level]
        print(f"confidence level={level} pairs={len(seen)} right={sum(o.right for o in seen) / max(1, len(seen)):.4f}")


def show(name: str, population: int) -> None:
    """Print one pair for people."""
    fault, _, seed = name.partition(":")
    pair = make_pair(fault, int(seed))
    if pair is None:
        print(f"the system of seed {seed} has no place for {fault}")
        return
    for key, value in pair.label.items():
        print(f"{key}: {value}")
    marked = frozenset(pair.label["root_cause_spans_b"])
    print(f"\nA (start ms, duration ms)\n{tree(pair.baseline)}\n\nB\n{tree(pair.suspect, marked)}\n")
    recent, usual_ms = _recent(int(seed), population)
    result = compare(pair.baseline, pair.suspect, recent)
    print(render_text(result))
    outcome = judge(pair, result, usual_ms)
    print(f"{'MISS' if outcome.miss else 'right'}: {outcome.detail}")


def main() -> int:
    """Run and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=60, help="how many random systems")
    parser.add_argument("--first", type=int, default=0, help="seed of the first")
    parser.add_argument("--fault", choices=FAULTS, action="append", help="only this fault (may be repeated)")
    parser.add_argument("--population", type=int, default=0, help="healthy traces to judge each pair against")
    parser.add_argument("--misses", action="store_true", help="print every pair that is not right")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--show", metavar="FAULT:SEED", help="print one pair for people")
    options = parser.parse_args()
    if options.show:
        show(options.show, options.population)
        return 0
    faults = tuple(options.fault or FAULTS)
    jobs = [(seed, faults, options.population) for seed in range(options.first, options.first + options.seeds)]
    if options.jobs > 1:
        with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
            found = pool.map(run_seed, jobs, chunksize=4)
    else:
        found = [run_seed(job) for job in jobs]
    outcomes = [outcome for seed in found for outcome in seed]
    if options.misses:
        for o in sorted((o for o in outcomes if o.miss), key=lambda o: (faults.index(o.fault), o.seed)):
            print(f"miss {o.fault}:{o.seed} {o.judged} {o.detail}")
    print_tables(outcomes, faults)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
