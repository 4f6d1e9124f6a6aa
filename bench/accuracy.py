"""Scores the engine on simulated systems: `python bench/accuracy.py [--seeds N] [--fault NAME] [--misses]`.

Prints per fault how often the first cause names the right service and operation and the verdict is right, and how
far each level of confidence can be trusted.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from simulate import OPEN_NAMES, PLANS, Case, healthy, make_case

from analysis import Comparison, Population, compare


def right(case: Case, result: Comparison) -> tuple[bool, bool, bool]:
    """Return whether service, operation and verdict are right."""
    verdict = result.verdict.kind.value in case.verdicts
    if not case.services:
        quiet = verdict or result.verdict.confidence.value == "low"
        return quiet, quiet, quiet
    if not result.causes:
        return False, False, verdict
    first = result.causes[0]
    service = first.service in case.services or (first.peer_service or "") in case.services & {"fraudcheck"}
    operation = service and (first.operation in case.operations or "*" in case.operations or case.fault in OPEN_NAMES)
    return service, operation, verdict


def main() -> int:
    """Run and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--fault", choices=PLANS)
    parser.add_argument("--misses", action="store_true")
    parser.add_argument("--population", type=int, default=0, help="healthy traces to judge each pair against")
    options = parser.parse_args()
    trust: dict[str, Counter[bool]] = defaultdict(Counter)
    print(f"{'fault':<18} {'n':>4} {'service@1':>9} {'op@1':>6} {'verdict':>8}")
    total: Counter[str] = Counter()
    for name in [options.fault] if options.fault else PLANS:
        row: Counter[str] = Counter()
        for seed in range(options.seeds):
            case = make_case(name, seed)
            if case is None or (
                case.services
                and name not in ("queue_delay", "error", "error_leaf", "error_swallowed", "serialised")
                and case.ratio < 1.3
            ):
                continue
            recent = (
                Population.from_traces(healthy(seed, i) for i in range(options.population))
                if options.population
                else None
            )
            result = compare(case.baseline, case.suspect, recent)
            service, operation, verdict = right(case, result)
            row.update(n=1, service=service, operation=operation, verdict=verdict)
            if case.services:
                trust[result.verdict.confidence.value][service and operation] += 1
            if options.misses and not (service and operation and verdict):
                causes = [(c.finding, c.service, c.operation, round(c.share, 2)) for c in result.causes[:3]]
                print(f"  miss {name}:{seed} x{case.ratio:.1f} want {sorted(case.services)} {sorted(case.operations)} got "
                      f"{result.verdict.kind.value} {result.verdict.confidence.value} {causes}")  # fmt: skip
        n = max(1, row["n"])
        print(
            f"{name:<18} {row['n']:>4} {row['service'] / n:>9.2f} {row['operation'] / n:>6.2f} {row['verdict'] / n:>8.2f}"
        )
        total.update(row)
    n = max(1, total["n"])
    print(
        f"all: pairs={total['n']} service@1={total['service'] / n:.3f} op@1={total['operation'] / n:.3f} verdict={total['verdict'] / n:.3f}"
    )
    print("\nconfidence  pairs  right")
    for level in ("high", "medium", "low"):
        seen = sum(trust[level].values())
        print(f"{level:<10} {seen:>6}  {trust[level][True] / max(1, seen):.3f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
