"""`Comparison`: the result of a comparison, a frozen JSON-safe value with a schema version.

Everything that is shown to anybody (text, Markdown, JSON, Slack blocks, the picture) is a rendering
of this value and of nothing else, so a queue, a cache or a golden file can hold it. The field names
are a stable public interface: additions raise no version, removals and changed meanings do.

Positive deltas mean that the suspect (B) is slower than the baseline (A).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct

from analysis.notes import Note

SCHEMA_VERSION = 1


class VerdictKind(StrEnum):
    """What the comparison comes to, in one word."""

    SLOWER = "slower"
    FASTER = "faster"
    FAILING = "failing"  # new errors; they outrank small changes of time
    CHANGED = "changed"  # about the same time, by another path
    NO_MEANINGFUL_DIFFERENCE = "no_meaningful_difference"
    IDENTICAL = "identical"  # the same trace id, or the same content
    NOT_COMPARABLE = "not_comparable"


class Confidence(StrEnum):
    """How far the named cause can be trusted."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class CauseKind(StrEnum):
    """What sort of change a cause is."""

    SELF_TIME_INCREASE = "self_time_increase"
    MORE_CALLS = "more_calls"
    NEW_CALLS = "new_calls"
    REMOVED_CALLS = "removed_calls"
    SERIALISED = "serialised"
    WAIT_GAP = "wait_gap"
    NETWORK = "network"
    ERROR = "error"
    RETRY = "retry"
    VERSION_CHANGE = "version_change"
    MESSAGING_DELAY = "messaging_delay"


class Verdict(Struct, frozen=True, kw_only=True):
    """The answer in one sentence, how sure we are, and why we are not surer."""

    kind: VerdictKind
    confidence: Confidence
    headline: str
    reasons: tuple[str, ...]


class Durations(Struct, frozen=True, kw_only=True):
    """One duration on both sides, in nanoseconds; `delta_ns = suspect_ns - baseline_ns`."""

    baseline_ns: int
    suspect_ns: int
    delta_ns: int


class Usual(Struct, frozen=True, kw_only=True):
    """What is usual for one number in a population: median (p50), MAD (scaled to a standard deviation), tail."""

    p50: int
    mad: int
    p95: int
    p99: int


class GroupUsual(Struct, frozen=True, kw_only=True):
    """What is usual for one group: exposed time (ns), calls, and the share of requests that have it at all."""

    exposed_ns: Usual
    calls: Usual
    presence: float


class RecurrenceKind(StrEnum):
    """Whether recent requests show what the suspect shows."""

    CONSISTENT = "consistent"  # nearly all do
    INTERMITTENT = "intermittent"  # some do
    ONCE = "once"  # none does, neither before nor after the suspect
    UNSETTLED = "unsettled"  # the traces are too few to tell


class Recurrence(Struct, frozen=True, kw_only=True):
    """How many recent requests show what the suspect shows: `above` of `of`.

    `since`: the first request after the change (RFC 3339, UTC), "" when no moment can be named; then `of` counts
    all requests, else those from that moment on. `needed`: more traces that would settle it; `after_suspect`: they
    must be of requests after the suspect.
    """

    kind: RecurrenceKind
    above: int
    of: int
    since: str = ""
    since_ns: int = 0
    needed: int = 0
    after_suspect: bool = False


class Standing(Struct, frozen=True, kw_only=True):
    """Where both traces lie among the population in what a cause is about; percentiles 0 to 100.

    `measure`: "exposed_ns", "calls", "errors" or "waited_ns" (in a queue), over the spans that the cause claims.
    """

    measure: str
    usual: Usual
    baseline: int
    suspect: int
    baseline_percentile: float
    suspect_percentile: float
    recurrence: Recurrence | None = None


class PopulationView(Struct, frozen=True, kw_only=True):
    """What recent requests of the operation say about the two.

    `usual_traces` of the `traces` set what is usual: all, or those of the calmer time when requests became slower or
    quicker at some moment (`changed_at`). Percentiles are ranks in response time among these.
    """

    traces: int
    usual_traces: int
    response: Usual
    baseline_percentile: float
    suspect_percentile: float
    baseline_typical: bool
    suspect_typical: bool
    typical_trace_id: str
    first_started_at: str
    last_started_at: str
    change: str = ""  # "slower" | "faster": what requests became at `changed_at`
    changed_at: str = ""
    consistent: bool | None = None  # of the first cause; None when it cannot be said
    recurrence: Recurrence | None = None  # of the first cause


class Cause(Struct, frozen=True, kw_only=True):
    """A named reason for the difference; `rank` 1 is the headline cause.

    `peer_service` is the other end of a slow edge (network, wait, timeout), where the fault may sit.
    `share` is `delta_ns` over the response-time delta (over the completion-time delta for work after
    the response), 1.0 at most; 0.0 where that has no meaning: no difference, one the other way, or one that is
    small beside the cause because other work got quicker. `symptoms` are changes that this cause explains.
    `fingerprint` is the same whenever the same cause comes back (`analysis.fingerprint`).
    """

    rank: int
    finding: str
    kind: CauseKind
    service: str
    operation: str
    peer_service: str | None
    delta_ns: int
    share: float
    baseline_span_ids: tuple[str, ...]
    suspect_span_ids: tuple[str, ...]
    evidence: tuple[str, ...]
    summary: str
    symptoms: tuple[str, ...] = ()
    population: Standing | None = None
    fingerprint: str = ""


class Contribution(Struct, frozen=True, kw_only=True):
    """One group of spans (same call path) and its exact part of the response-time delta.

    Over all contributions the deltas sum to `response_time.delta_ns`; `parts` splits each delta exactly.
    `baseline_ns`/`suspect_ns` total the group's whole durations, on the critical path or not.
    """

    path: tuple[tuple[str, str, str], ...]
    service: str
    operation: str
    kind: str
    detail: str  # what tells it from others of the same name: statement, URL template, peer; may be ""
    baseline_exposed_ns: int
    suspect_exposed_ns: int
    delta_ns: int
    baseline_calls: int
    suspect_calls: int
    baseline_errors: int
    suspect_errors: int
    baseline_ns: int
    suspect_ns: int
    baseline_span_id: str  # the longest span of the group, to link to; "" when the side has none
    suspect_span_id: str
    parts: dict[str, int]
    usual: GroupUsual | None = None  # with a population


class Finding(Struct, frozen=True, kw_only=True):
    """One detected change, with the spans on both sides, its nanoseconds and its evidence."""

    finding: str  # stable kebab-case code from the registry
    title: str
    service: str
    operation: str
    peer_service: str | None
    delta_ns: int
    affects: str  # "response" | "completion" | "nothing"
    baseline_span_ids: tuple[str, ...]
    suspect_span_ids: tuple[str, ...]
    evidence: tuple[str, ...]
    summary: str


class LinkTarget(Struct, frozen=True, kw_only=True):
    """Something worth opening; the bot turns it into a URL by its configured templates."""

    kind: str  # "span" | "trace" | "logs" | "dashboard" | "runbook"
    side: str  # "baseline" | "suspect"
    service: str
    span_id: str = ""


class NextStep(Struct, frozen=True, kw_only=True):
    """One concrete thing to do, the finding it follows from, and what to open."""

    text: str
    finding: str
    links: tuple[LinkTarget, ...]


class Lane(Struct, frozen=True, kw_only=True):
    """One side of a row: when its spans ran, and were on the critical path (ns after the root's start)."""

    spans: tuple[tuple[int, int], ...]
    exposed: tuple[tuple[int, int], ...]


class TimelineRow(Struct, frozen=True, kw_only=True):
    """One group of spans on the common time axis, for a picture."""

    label: str
    service: str
    depth: int
    delta_ns: int
    baseline_calls: int
    suspect_calls: int
    baseline: Lane
    suspect: Lane


class Side(Struct, frozen=True, kw_only=True):
    """One trace at a glance."""

    trace_id: str
    root: str  # "service operation"
    root_service: str
    root_operation: str
    root_span_id: str
    started_at: str  # RFC 3339, UTC, millisecond precision
    started_at_ns: int
    response_time_ns: int
    completion_time_ns: int
    spans: int
    services: tuple[str, ...]
    errors: int
    versions: dict[str, str]  # service -> service.version, where known


class Document(Struct, frozen=True, kw_only=True):
    """An answer as a value for programs."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-safe data (dict, list, str, int, float, bool, None)."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        return data

    def to_json(self) -> bytes:
        """Encode as JSON, byte for byte the same for the same comparison."""
        return msgspec.json.encode(self)


class Comparison(Document, frozen=True, kw_only=True):
    """The whole answer to "what is different between these two requests, and why?"."""

    schema_version: int
    verdict: Verdict
    baseline: Side
    suspect: Side
    response_time: Durations
    completion_time: Durations
    causes: tuple[Cause, ...]
    contributions: tuple[Contribution, ...]
    findings: tuple[Finding, ...]
    next_steps: tuple[NextStep, ...]
    notes: tuple[Note, ...]
    timeline: tuple[TimelineRow, ...] = ()
    population: PopulationView | None = None

    @classmethod
    def from_json(cls, body: bytes) -> Comparison:
        """Read back what `to_json` wrote; `ValueError` if it is not a comparison of this version."""
        check_version(body, SCHEMA_VERSION, "comparison")
        return msgspec.json.decode(body, type=cls)


class _Version(Struct):
    schema_version: int


def check_version(body: bytes, version: int, what: str) -> None:
    """Refuse a stored value of another version, whatever else is in it, with a sentence that says what to do."""
    try:
        found = msgspec.json.decode(body, type=_Version).schema_version
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"this is not a stored {what}: {error}") from None
    if found != version:
        raise ValueError(
            f"the stored {what} has schema version {found}, this program reads {version}: compare the traces again"
        )
