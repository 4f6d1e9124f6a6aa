"""Writes labelled pairs as files: `python -m bench.simulate FOLDER [--seeds N] [--fault NAME] [--population N]`.

FOLDER/<fault>/<seed>/{a,b}.jaeger.json, {a,b}.otlp.json, label.json, tree.txt
FOLDER/population/<seed>/<n>.json        healthy traces of the seed's system
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bench.simulate.faults import FAULTS
from bench.simulate.pairs import Pair, healthy_traces, make_pair
from bench.simulate.wire import jaeger_json, otlp_json, tree


def write_pair(pair: Pair, folder: Path) -> None:
    """Write one pair."""
    folder.mkdir(parents=True, exist_ok=True)
    for side, trace in (("a", pair.baseline), ("b", pair.suspect)):
        (folder / f"{side}.jaeger.json").write_bytes(jaeger_json(trace))
        (folder / f"{side}.otlp.json").write_bytes(otlp_json(trace))
    (folder / "label.json").write_text(json.dumps(pair.label, indent=1) + "\n", "utf-8")
    marked = frozenset(pair.label["root_cause_spans_b"])
    text = f"A (healthy) start ms, duration ms\n{tree(pair.baseline)}\n\nB\n{tree(pair.suspect, marked)}\n"
    (folder / "tree.txt").write_text(text, "utf-8")


def main() -> int:
    """Write what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--fault", choices=FAULTS, action="append")
    parser.add_argument("--population", type=int, default=0, help="healthy traces per system")
    options = parser.parse_args()
    written = 0
    for seed in range(options.seeds):
        for fault in options.fault or FAULTS:
            pair = make_pair(fault, seed)
            if pair is not None:
                write_pair(pair, options.folder / fault / f"{seed:04}")
                written += 1
        for number, trace in enumerate(healthy_traces(seed, options.population)):
            folder = options.folder / "population" / f"{seed:04}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{number:03}.json").write_bytes(jaeger_json(trace))
    print(f"{written} pairs in {options.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
