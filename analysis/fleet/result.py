"""`FleetComparison`: what two windows of requests say, a frozen JSON-safe value with a schema version.

The field names are a stable public interface: additions raise no version, removals and changed meanings do. Positive
changes mean more in the suspect (B) than in the baseline (A). Swapping the windows mirrors every sign and every pair
of sides, and changes nothing else.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec
from msgspec import Struct

from analysis.comparison import Confidence, Document, Verdict, VerdictKind, check_version
from analysis.notes import Note

SCHEMA_VERSION = 1


class Shift(Struct, frozen=True):
    """By how much one window lies above the other, with its 95 % interval (ns, or calls)."""

    value: int
    low: int
    high: int


class Affected(StrEnum):
    """How many of the requests changed."""

    ALL = "all"  # the typical request is another
    SOME = "some"  # a part of them; the typical request is as before
    PRESENT = "present"  # those that have to wait for the group at all: medians and shift are of these


class Measure(StrEnum):
    """The number of each request that changed."""

    RESPONSE = "response_ns"
    EXPOSED = "exposed_ns"  # how long a group of spans held the request up (its time on the critical path)
    CALLS = "calls"
    ERRORS = "errors"


class Change(Struct, frozen=True, kw_only=True):
    """One number of every request, in both windows.

    Medians and means are of all requests of a window, those without the calls counting 0; over all groups of spans
    the mean exposed times sum to the mean response time. `*_present` is the share of requests above 0, `*_above` of
    those above `limit`, the value that best tells the windows apart (for errors 0: requests with an error). `p`: how
    probable so large a change is by chance, adjusted for the number of questions asked.
    """

    measure: Measure
    affected: Affected
    baseline_median: int
    suspect_median: int
    baseline_mean: float
    suspect_mean: float
    mean_delta: float
    shift: Shift
    limit: int
    baseline_present: float
    suspect_present: float
    baseline_above: float
    suspect_above: float
    suspect_above_median: int  # the median of those above the limit; 0 when there are none
    baseline_above_median: int
    p: float


class Separator(Struct, frozen=True, kw_only=True):
    """A value of an attribute that goes with the slow (failing) requests of both windows, and not with the others.

    `by_window`: where all requests changed by less than they vary, slow ones cannot be told one by one; the value
    then goes with the requests of the slower window.
    `information`: what it says of a request being slow, as a share (0 to 1) of what there is to say. `also`: values
    that the very same requests have ("name = value of service").
    """

    service: str
    attribute: str
    value: str
    slow_share: float
    other_share: float
    slow_traces: int
    other_traces: int
    information: float
    p: float
    by_window: bool
    also: tuple[str, ...] = ()


class Exemplar(Struct, frozen=True, kw_only=True):
    """A request worth opening; `exposed_ns`: how long a cause's spans held it up (0 for a window's own)."""

    trace_id: str
    response_ns: int
    exposed_ns: int = 0


class FleetCause(Struct, frozen=True, kw_only=True):
    """A group of spans that changed; `rank` 1 is the headline cause.

    `share`: the part of the change of the mean response time; 0.0 where that has no meaning. `symptoms`: changes
    that follow from this one. `worst`, `typical`: among the requests that show it, in the window that shows it more.
    `fingerprint`: the same whenever the same cause comes back, also between two traces (`fleet.recurring`).
    """

    rank: int
    path: tuple[tuple[str, str, str], ...]  # (service, operation, kind) from the root on; () when not known
    service: str
    operation: str
    kind: str
    detail: str
    summary: str
    share: float
    time: Change | None
    calls: Change | None
    errors: Change | None
    separators: tuple[Separator, ...]
    values_asked: int  # values of attributes that could have told slow requests from the others
    symptoms: tuple[str, ...]
    typical: Exemplar
    worst: Exemplar
    fingerprint: str = ""


class PathShare(Struct, frozen=True, kw_only=True):
    """How long one group of spans held a request up on average (ns), and its calls and share of failing requests."""

    path: tuple[tuple[str, str, str], ...]
    service: str
    operation: str
    kind: str
    detail: str
    baseline_exposed_ns: float
    suspect_exposed_ns: float
    delta_ns: float
    baseline_calls: float
    suspect_calls: float
    baseline_errors: float
    suspect_errors: float
    changed: bool


class FleetWindow(Struct, frozen=True, kw_only=True):
    """One window at a glance."""

    traces: int
    left_out: int  # of another operation, repeated, or beyond what is kept
    partial: int  # traces with spans missing
    failing: int  # requests whose root failed
    first_started_at: str
    last_started_at: str
    median_ns: int
    p95_ns: int
    p99_ns: int
    typical: Exemplar | None
    worst: Exemplar | None


class FleetComparison(Document, frozen=True, kw_only=True):
    """The whole answer to "what is different about the requests of these two windows, and why?"."""

    schema_version: int
    verdict: Verdict
    service: str
    operation: str
    baseline: FleetWindow
    suspect: FleetWindow
    response_time: Change | None  # None when it did not change
    causes: tuple[FleetCause, ...]
    paths: tuple[PathShare, ...]
    notes: tuple[Note, ...]

    @classmethod
    def from_json(cls, body: bytes) -> FleetComparison:
        """Read back what `to_json` wrote; `ValueError` if it is not a comparison of this version."""
        check_version(body, SCHEMA_VERSION, "fleet comparison")
        return msgspec.json.decode(body, type=cls)


__all__ = [
    "SCHEMA_VERSION",
    "Affected",
    "Change",
    "Confidence",
    "Exemplar",
    "FleetCause",
    "FleetComparison",
    "FleetWindow",
    "Measure",
    "PathShare",
    "Separator",
    "Shift",
    "Verdict",
    "VerdictKind",
]
