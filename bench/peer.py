"""Times jaeger-mcp's comparison of two Jaeger JSON files; run by the interpreter that has it (`make bench-peer`).

Prints JSON: CPU seconds (median of some runs) from bytes to its result, parsing included, and the peak memory.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from pathlib import Path

from jaeger_mcp.shaping import compare_traces_diff

RUNS = 5


def main() -> None:
    """Compare the two files named on the command line."""
    a, b = (Path(name).read_bytes() for name in sys.argv[1:3])
    spent = []
    for _ in range(RUNS):
        before = time.process_time()
        compare_traces_diff(json.loads(a)["data"][0], json.loads(b)["data"][0])
        spent.append(time.process_time() - before)
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": statistics.median(spent), "peak_kib": peak_kib}))


if __name__ == "__main__":
    main()
