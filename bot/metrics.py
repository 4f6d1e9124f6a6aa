"""What the bot measures, in Prometheus' terms.

Labels take few values, all known when the process starts: kinds, codes, steps, configured sources. Never a channel, a
person, a service or an operation: those would grow without bound, and nobody may learn from here who asked what.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, GCCollector, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder

if TYPE_CHECKING:
    from collections.abc import Callable

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

LAG_EVERY_S = 0.1  # between two looks at the event loop
WAITS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)  # s, of what others take
LABELS = (
    "call",
    "code",
    "generation",
    "kind",
    "le",
    "method",
    "outcome",
    "source",
    "step",
    "wait",
)  # every label there is

ACKNOWLEDGED = Histogram(
    "compare_traces_ack_seconds",
    "Time from a payload of Slack's to its acknowledgement (Slack gives up after 3 s), by kind of payload",
    ("kind",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 3),
    registry=REGISTRY,
)
REQUESTS = Counter(
    "compare_traces_requests",
    "Requests that ended, by outcome: answered, failed, repeated (the answer was there), refused, interrupted",
    ("outcome",),
    registry=REGISTRY,
)
FAILURES = Counter(
    "compare_traces_failures", "Requests that failed or were refused, by reason", ("code",), registry=REGISTRY
)
VERDICTS = Counter("compare_traces_verdicts", "Answers, by verdict", ("kind",), registry=REGISTRY)
CAUSES = Counter("compare_traces_causes", "Causes named in answers, by kind", ("kind",), registry=REGISTRY)
REQUEST_SECONDS = Histogram(
    "compare_traces_request_seconds",
    "Time from a payload of Slack's to the answer, or to the sentence that says why there is none, by outcome",
    ("outcome",),
    buckets=WAITS,
    registry=REGISTRY,
)
QUEUE_SECONDS = Histogram(
    "compare_traces_queue_seconds",
    "Time that a request waited, by for what: taker (from its acceptance to a process that takes it up), place (there)",
    ("wait",),
    buckets=WAITS,
    registry=REGISTRY,
)
ANALYSIS_SECONDS = Histogram(
    "compare_traces_analysis_seconds",
    "Time in a child process, by step; total is all of a job, the wait for a free child included",
    ("step",),
    buckets=WAITS,
    registry=REGISTRY,
)
POST_SECONDS = Histogram(
    "compare_traces_post_seconds",
    "Time to put messages into Slack, its pace and retries included, by step: announce, answer",
    ("step",),
    buckets=WAITS,
    registry=REGISTRY,
)
SOURCE_SECONDS = Histogram(
    "compare_traces_source_seconds",
    "Time that a trace backend took to answer, retries included, by source and by what it was asked",
    ("source", "call"),
    buckets=WAITS,
    registry=REGISTRY,
)
SOURCE_ERRORS = Counter(
    "compare_traces_source_errors",
    "Questions to a trace backend that ended without what was asked for, by source and reason",
    ("source", "code"),
    registry=REGISTRY,
)
SLACK_SECONDS = Histogram(
    "compare_traces_slack_seconds",
    "Time that Slack took to answer a call of its API, by method",
    ("method",),
    buckets=WAITS,
    registry=REGISTRY,
)
SLACK_ERRORS = Counter(
    "compare_traces_slack_errors", "Calls of Slack's API that failed, by reason", ("code",), registry=REGISTRY
)
LOOP_LAG = Histogram(
    "compare_traces_event_loop_lag_seconds",
    "How late the event loop was for a look at the clock, ten times a second",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1),
    registry=REGISTRY,
)
UNFINISHED = Gauge("compare_traces_unfinished_requests", "Requests accepted and not ended", registry=REGISTRY)
OLDEST = Gauge(
    "compare_traces_oldest_unfinished_seconds",
    "Age of the oldest request that was accepted and has not ended; 0 without any",
    registry=REGISTRY,
)

USEFUL = Gauge(
    "compare_traces_useful_answers", "People's votes that an answer was useful, of the past year", registry=REGISTRY
)
NOT_USEFUL = Gauge(
    "compare_traces_not_useful_answers", "People's votes that an answer was not useful, of the past year",
    registry=REGISTRY,
)  # fmt: skip


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
