"""Scores fingerprints: is the same fault known again, and is another one taken for it?

    python bench/fingerprints.py [--seeds N] [--first SEED] [--requests 4] [--misses]

In each simulated system every fault is met by several requests, each compared with another healthy one: other ids,
other paths through the system, other amounts. Counted are the headline causes of comparisons that say that something
is worse, where the fault shows clearly:

    known      of two requests that met one fault, the later one is known by the earlier one's causes
    confused   of two requests of one system that met different faults, the later one is taken for the earlier one's

Two faults may well be one and the same to whoever sees them: `other` counts, of the confused, those whose labels
name no common service and operation. The last line is for machines.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from msgspec import Struct

from analysis import compare
from bench.simulate.faults import FAULTS
from bench.simulate.pairs import healthy_traces, make_pair, troubled_traces

if TYPE_CHECKING:
    from bench.simulate.labels import Label

WORSE = ("slower", "failing", "changed")
UNLIKE = ("none", "identical", "different", "improvement")  # modes that are no trouble


class Seen(Struct, frozen=True):
    """The causes of one comparison, the headline first."""

    causes: tuple[str, ...]
    said: str


def met(fault: str, seed: int, requests: int) -> tuple[Label, list[Seen]] | None:
    """Return what was said of several requests that met a fault; None where it does not show clearly."""
    pair = make_pair(fault, seed)
    if pair is None or pair.label["mode"] in UNLIKE or pair.label["strength"] != "clear":
        return None
    seen = []
    for healthy, troubled in zip(healthy_traces(seed, requests), troubled_traces(fault, seed, requests), strict=True):
        result = compare(healthy, troubled)
        if result.verdict.kind.value in WORSE and result.causes:
            seen.append(Seen(tuple(cause.fingerprint for cause in result.causes), result.causes[0].summary))
    return pair.label, seen


def alike(one: Label, two: Label) -> bool:
    """Tell whether two faults may be the same trouble: they sit in one operation of one service."""
    places = [
        {(service, operation) for service in label["root_cause_service"] for operation in label["root_cause_operation"]}
        for label in (one, two)
    ]
    return bool(places[0] & places[1])


def score(seed: int, requests: int, counts: dict[str, Counter[str]], *, misses: bool) -> None:
    """Count one system."""
    found = {fault: its for fault in FAULTS if (its := met(fault, seed, requests)) is not None}
    for fault, (_, seen) in found.items():
        for earlier, later in combinations(seen, 2):
            known = later.causes[0] in earlier.causes
            counts[fault].update(pairs=1, known=known)
            if misses and not known:
                print(f"unknown {fault}:{seed}\n    {earlier.said}\n    {later.said}")
    for one, two in combinations(found, 2):
        (label, seen), (label_two, seen_two) = found[one], found[two]
        for earlier in seen:
            for later in seen_two:
                confused = later.causes[0] in earlier.causes
                counts[""].update(pairs=1, confused=confused, other=confused and not alike(label, label_two))
                if misses and confused and not alike(label, label_two):
                    print(f"confused {one}, {two}:{seed}\n    {earlier.said}\n    {later.said}")


def main() -> int:
    """Run and print a line per fault."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=20, help="how many random systems")
    parser.add_argument("--first", type=int, default=0, help="seed of the first")
    parser.add_argument("--requests", type=int, default=4, help="requests that meet each fault")
    parser.add_argument("--misses", action="store_true", help="print what is not right")
    options = parser.parse_args()
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for seed in range(options.first, options.first + options.seeds):
        score(seed, options.requests, counts, misses=options.misses)
    others = counts.pop("", Counter())
    print(f"{'fault':<28} {'pairs':>6} {'known':>7}")
    for fault in sorted(counts):
        print(f"{fault:<28} {counts[fault]['pairs']:>6} {counts[fault]['known'] / counts[fault]['pairs']:>7.3f}")
    pairs, known = (sum(count[name] for count in counts.values()) for name in ("pairs", "known"))
    print(
        f"fingerprints same={pairs} known={known / max(1, pairs):.4f} different={others['pairs']} "
        f"confused={others['confused'] / max(1, others['pairs']):.4f} other={others['other'] / max(1, others['pairs']):.4f}"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
