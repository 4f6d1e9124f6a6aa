"""Where the time of one comparison goes: CPU time per stage, in multiples of the floor of `bench/run.py`.

Each stage's function is wrapped with a clock that stops while a stage inside it runs, so the figures add up to the
whole; what no stage owns (freeing what was made, mostly) is the rest.

    python bench/stages.py [spans]
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections import defaultdict
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from analysis import compare, decode
from bench.run import floor
from bench.simulate.big import big_trace

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS = 7
STAGES = (
    # what is said of it, where it is looked up, its name
    ("decode: the body into typed objects", "analysis.decode", "decode_jaeger"),
    ("decode: tags looked at, spans made", "analysis.decode.jaeger_json", "_trace"),
    ("repair", "analysis.profile", "repair"),
    ("critical path", "analysis.profile", "critical_path"),
    ("self times", "analysis.profile", "self_times"),
    ("operation keys, grouping", "analysis.compare", "profile"),
    ("align", "analysis.compare", "align"),
    ("attribute", "analysis.compare", "attribute"),
    ("findings", "analysis.compare", "find_all"),
    ("contributions", "analysis.compare", "_contributions"),
    ("timeline", "analysis.compare", "timeline"),
    ("redaction", "analysis.compare", "redact"),
)


class Clock:
    """Adds up the time of each stage, without the stages inside it."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._inside: list[float] = []  # per running stage, the time of the stages inside it

    def watch(self, what: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """Return the stage's function with a clock on it."""

        @wraps(work)
        def watched(*args: Any, **kwargs: Any) -> Any:
            self._inside.append(0.0)
            before = time.process_time()
            try:
                return work(*args, **kwargs)
            finally:
                took = time.process_time() - before
                self.spent[what] += took - self._inside.pop()
                if self._inside:
                    self._inside[-1] += took

        return watched


def run(a: bytes, b: bytes) -> None:
    """Do what is measured: bytes in, comparison out, everything freed."""
    compare(decode(a), decode(b))


def main() -> None:
    """Print the table."""
    spans = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    a, b = big_trace(spans, 1), big_trace(spans, 1, suspect=True)
    clock = Clock()
    for what, module, name in STAGES:
        place = import_module(module)
        setattr(place, name, clock.watch(what, getattr(place, name)))
    whole = clock.watch("the rest, freeing all of it included", run)
    rounds: list[dict[str, float]] = []
    for _ in range(RUNS):
        gc.collect()
        gc.disable()
        before = time.process_time()
        floor.decode(a), floor.decode(b)
        base = time.process_time() - before
        gc.enable()
        gc.collect()
        clock.spent.clear()
        whole(a, b)
        rounds.append({"floor": base, **clock.spent})
    typical = {what: statistics.median(spent[what] for spent in rounds) for what in rounds[0]}
    base = typical.pop("floor")
    print(
        f"2 x {spans:,} spans, floor {1e6 * base / 2 / spans:.2f} us a span\n\n| stage | us a span | of the floor |\n|---|---|---|"
    )
    for what, took in [*typical.items(), ("all", sum(typical.values()))]:
        print(f"| {what} | {1e6 * took / 2 / spans:.2f} | {took / base:.2f}x |")


if __name__ == "__main__":
    main()
