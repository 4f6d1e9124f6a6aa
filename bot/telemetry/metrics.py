"""What the bot measures, in Prometheus' terms. `python -m bot.telemetry.metrics` prints it (docs/METRICS.md).

Labels take few values, all known when the process starts: kinds, codes, steps, configured sources. Never a channel, a
person, a service or an operation: those would grow without bound, and nobody may learn from here who asked what.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

REGISTRY = CollectorRegistry()
# Without it there is a second series for each one, which nobody reads. (The library's function has no annotations.)
disable_created_metrics()  # type: ignore[no-untyped-call]
ProcessCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

LAG_EVERY_S = 0.1  # between two looks at the event loop
PREFIX = "compare_traces_"
WAITS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)  # s, of what others take
ACKS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 3)  # s; Slack gives up after 3
LAGS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1)  # s
LABELS: dict[str, tuple[str, ...]] = {}  # of each metric of ours


def _histogram(name: str, meaning: str, *labels: str, buckets: tuple[float, ...] = WAITS) -> Histogram:
    LABELS[PREFIX + name] = labels
    return Histogram(PREFIX + name, meaning, labels, buckets=buckets, registry=REGISTRY)


def _counter(name: str, meaning: str, *labels: str) -> Counter:
    LABELS[PREFIX + name] = labels
    return Counter(PREFIX + name, meaning, labels, registry=REGISTRY)


def _gauge(name: str, meaning: str) -> Gauge:
    LABELS[PREFIX + name] = ()
    return Gauge(PREFIX + name, meaning, registry=REGISTRY)


ACKNOWLEDGED = _histogram(
    "ack_seconds",
    "from a payload of Slack's to its acknowledgement, by kind of payload; `refused`: not signed by Slack, or unknown",
    "kind", buckets=ACKS,
)  # fmt: skip
REQUESTS = _counter(
    "requests",
    "requests that ended: `answered`, `failed`, `repeated` (it was there), `refused`, `interrupted` (by a restart, or "
    "given up by the program that asked)",
    "outcome",
)
FAILURES = _counter("failures", "requests that failed or were refused, by reason", "code")
VERDICTS = _counter("verdicts", "answers, by verdict", "kind")
CAUSES = _counter("causes", "causes named in answers, by kind", "kind")
REQUEST_SECONDS = _histogram(
    "request_seconds",
    "from a payload of Slack's to the answer, or to the sentence that says why there is none",
    "outcome",
)
QUEUE_SECONDS = _histogram(
    "queue_seconds",
    "waits of accepted requests: for a process that takes them up (`taker`), there for a place to work in (`place`)",
    "wait",
)
CALL_SECONDS = _histogram(
    "call_seconds", "calls of programs, over HTTP (`status` as there) and MCP (`ok`, `error`), by what was asked",
    "call", "status",
)  # fmt: skip
ANALYSIS_SECONDS = _histogram(
    "analysis_seconds",
    "steps of the analysis in child processes; `total`: a whole job, with the wait for a free child",
    "step",
)
POST_SECONDS = _histogram(
    "post_seconds", "putting messages into Slack, its pace and repeated tries included: `announce`, `answer`", "step"
)
SOURCE_SECONDS = _histogram(
    "source_seconds", "questions to a trace backend, repeated tries included, by what was asked", "source", "call"
)
SOURCE_ERRORS = _counter(
    "source_errors", "questions to a trace backend that ended without what was asked for, by reason", "source", "code"
)
CACHE_LOOKUPS = _counter(
    "cache_lookups",
    "looks into the cache of traces and of settled searches: `hit`, `miss`, `away` (Redis did not answer)",
    "kind", "result",
)  # fmt: skip
SLACK_SECONDS = _histogram("slack_seconds", "calls of Slack's API", "method")
SLACK_ERRORS = _counter("slack_errors", "calls of Slack's API that failed, by reason", "code")
LOOP_LAG = _histogram(
    "event_loop_lag_seconds", "how late the event loop was for a look at the clock, ten times a second", buckets=LAGS
)
READY = _gauge("ready", "1 while the process is ready to take requests, as `/readyz` says; else 0")
UNFINISHED = _gauge("unfinished_requests", "requests accepted and not ended")
OLDEST = _gauge("oldest_unfinished_seconds", "age of the oldest request accepted and not ended; 0 without any")
USEFUL = _gauge("useful_answers", "people's votes that an answer was useful, of the past year")
NOT_USEFUL = _gauge("not_useful_answers", "people's votes that an answer was not useful, of the past year")


def begin(counter: Counter, *values: Iterable[str]) -> None:
    """Begin all series of a counter with 0, for every combination of its labels' values."""
    for labels in itertools.product(*values):
        counter.labels(*labels)


def reference() -> str:
    """Return what is measured, as Markdown."""
    lines = [
        "# Metrics",
        "",
        "Generated by `python -m bot.telemetry.metrics`. Every process serves its own at `/metrics` on `ops_port`,",
        "with those of the process (`process_...`) and of Python (`python_gc_...`). Times are seconds.",
        "",
        "| metric | type | labels | meaning |",
        "|---|---|---|---|",
    ]
    for family in REGISTRY.collect():
        if family.name in LABELS:
            labels = ", ".join(f"`{name}`" for name in LABELS[family.name])
            name = f"{family.name}_total" if family.type == "counter" else family.name
            lines.append(f"| `{name}` | {family.type} | {labels} | {family.documentation} |")
    return "\n".join(lines) + "\n"


def exposition(accept: str) -> tuple[bytes, str]:
    """Return all measurements and their content type, in the format that the reader prefers."""
    encoder: Callable[[CollectorRegistry], bytes]
    encoder, content_type = choose_encoder(accept)
    return encoder(REGISTRY), content_type


async def sample_loop_lag() -> None:
    """Look at the clock ten times a second, until cancelled: what comes late was held up by something."""
    clock = asyncio.get_running_loop().time
    while True:
        due = clock() + LAG_EVERY_S
        await asyncio.sleep(LAG_EVERY_S)
        LOOP_LAG.observe(max(0.0, clock() - due))


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201 - this is what the command is for
