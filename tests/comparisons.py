"""Comparisons made by hand, one per verdict: what the messages look like does not depend on the engine's mood."""

from __future__ import annotations

import msgspec

from analysis import Comparison
from analysis.comparison import (
    Cause,
    CauseKind,
    Confidence,
    Contribution,
    Durations,
    LinkTarget,
    NextStep,
    PopulationView,
    Recurrence,
    RecurrenceKind,
    Side,
    Standing,
    Usual,
    Verdict,
    VerdictKind,
)
from analysis.notes import Note, Severity

MS = 1_000_000
A, B = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7a3ce929d0e0e4736"


def side(trace_id: str, response_ms: float, version: str = "1.4.2", *, errors: int = 0) -> Side:
    """Return one side of a checkout request."""
    return Side(
        trace_id=trace_id, root="checkout POST /orders", root_service="checkout", root_operation="POST /orders",
        root_span_id="a" * 16, started_at="2026-11-24T14:02:11.000Z", started_at_ns=1_795_528_931 * 10**9,
        response_time_ns=round(response_ms * MS), completion_time_ns=round(response_ms * MS), spans=44,
        services=("catalog", "checkout"), errors=errors, versions={"checkout": version},
    )  # fmt: skip


def durations(before_ms: float, after_ms: float) -> Durations:
    """Return a duration on both sides."""
    a, b = round(before_ms * MS), round(after_ms * MS)
    return Durations(baseline_ns=a, suspect_ns=b, delta_ns=b - a)


def group(
    operation: str, service: str, before_ms: float, after_ms: float, calls: tuple[int, int] = (1, 1)
) -> Contribution:
    """Return one group of spans."""
    a, b = round(before_ms * MS), round(after_ms * MS)
    return Contribution(
        path=(("checkout", "POST /orders", "server"), (service, operation, "client")), service=service,
        operation=operation, kind="client", detail="", baseline_exposed_ns=a, suspect_exposed_ns=b, delta_ns=b - a,
        baseline_calls=calls[0], suspect_calls=calls[1], baseline_errors=0, suspect_errors=0, baseline_ns=a,
        suspect_ns=b, baseline_span_id="1" * 16 if calls[0] else "", suspect_span_id="2" * 16 if calls[1] else "",
        parts={},
    )  # fmt: skip


SELECT = Cause(
    rank=1, finding="repeated-calls", kind=CauseKind.MORE_CALLS, service="catalog", operation="SELECT",
    peer_service="postgres", delta_ns=1_140 * MS, share=0.97, baseline_span_ids=("1" * 16,),
    suspect_span_ids=("2" * 16,), summary="SELECT in catalog runs 61 times instead of 1",
    evidence=("SELECT ... FROM orders WHERE id = ?: 1 call in A, 61 in B, 18.7 ms each in B",),
    symptoms=("GET /products in catalog takes 1.21 s instead of 61.0 ms",),
)  # fmt: skip
VERSION = Cause(
    rank=2, finding="version-changed", kind=CauseKind.VERSION_CHANGE, service="checkout", operation="POST /orders",
    peer_service=None, delta_ns=0, share=0.0, baseline_span_ids=(), suspect_span_ids=(),
    summary="checkout is version 1.5.0 instead of 1.4.2", evidence=(),
)  # fmt: skip
TIMEOUT = Cause(
    rank=1, finding="new-error", kind=CauseKind.ERROR, service="payment", operation="POST", peer_service="acmepay",
    delta_ns=979 * MS, share=1.0, baseline_span_ids=(), suspect_span_ids=("3" * 16,),
    summary="POST in payment fails: httpx.ReadTimeout after 1.00 s",
    evidence=("1 of 1 calls fail in B, 0 of 1 in A: httpx.ReadTimeout", "the error reached the root: the request failed"),
)  # fmt: skip
BATCH = NextStep(
    text="Batch the query: 61 statements differ only in id under GET /products in catalog.", finding="repeated-calls",
    links=(LinkTarget(kind="span", side="suspect", service="catalog", span_id="2" * 16),),
)  # fmt: skip
TYPICAL = NextStep(
    text="Compare B with the typical trace of this operation: two single requests can differ by chance.",
    finding="single-sample", links=(),
)  # fmt: skip
ORPHANS = Note(
    code="missing-parents", severity=Severity.WARNING, count=8,
    text="B: spans have parents that were not received; they were placed by time and address",
)  # fmt: skip

SLOWER = Comparison(
    schema_version=1,
    verdict=Verdict(
        kind=VerdictKind.SLOWER, confidence=Confidence.HIGH,
        headline="checkout POST /orders is 1.18 s slower (120 ms -> 1.30 s, 10.8x): SELECT in catalog runs 61 times "
        "instead of 1",
        reasons=("the named causes explain 97 % of the difference",),
    ),
    baseline=side(A, 120), suspect=side(B, 1_300, "1.5.0"), response_time=durations(120, 1_300),
    completion_time=durations(131, 1_312), causes=(SELECT, VERSION),
    contributions=(
        group("SELECT", "catalog", 18.7, 1_158.7, (1, 61)), group("POST /charge", "payment", 40, 65),
        group("MGET", "catalog", 0.3, 0, (1, 0)),
    ),
    findings=(), next_steps=(BATCH, TYPICAL), notes=(ORPHANS,),
)  # fmt: skip


def change(**changes: object) -> Comparison:
    """Return the slower comparison with some of its fields changed."""
    return msgspec.structs.replace(SLOWER, **changes)


def verdict(kind: VerdictKind, confidence: Confidence, headline: str, *reasons: str) -> Verdict:
    """Return a verdict."""
    return Verdict(kind=kind, confidence=confidence, headline=headline, reasons=reasons)


INTERMITTENT = Recurrence(
    kind=RecurrenceKind.INTERMITTENT, above=9, of=30, since="2026-11-24T13:31:05.000Z",
    since_ns=1_795_527_065 * 10**9,
)  # fmt: skip
AMONG_RECENT = change(
    causes=(msgspec.structs.replace(SELECT, population=Standing(
        measure="calls", usual=Usual(p50=1, mad=0, p95=2, p99=3), baseline=1, suspect=61, baseline_percentile=48.3,
        suspect_percentile=100.0, recurrence=INTERMITTENT)), VERSION),
    population=PopulationView(
        traces=60, usual_traces=60, response=Usual(p50=118 * MS, mad=9 * MS, p95=160 * MS, p99=190 * MS),
        baseline_percentile=43.3, suspect_percentile=98.3, baseline_typical=True, suspect_typical=False,
        typical_trace_id=A, first_started_at="2026-11-24T13:00:00.000Z", last_started_at="2026-11-24T14:05:00.000Z",
        consistent=False, recurrence=INTERMITTENT),
)  # fmt: skip

FASTER = change(
    verdict=verdict(
        VerdictKind.FASTER, Confidence.MEDIUM, "checkout POST /orders is 1.18 s faster (1.30 s -> 120 ms)",
        "the named causes explain 97 % of the difference", "several changes are about equally large",
    ),
    baseline=side(A, 1_300), suspect=side(B, 120, "1.5.0"), response_time=durations(1_300, 120),
    completion_time=durations(1_300, 120),
    causes=(msgspec.structs.replace(SELECT, summary="SELECT in catalog runs once instead of 61 times", delta_ns=-1_140 * MS,
            symptoms=(), evidence=()),),
    contributions=(group("SELECT", "catalog", 1_158.7, 18.7, (61, 1)),), next_steps=(), notes=(),
)  # fmt: skip
FAILING = change(
    verdict=verdict(
        VerdictKind.FAILING, Confidence.HIGH,
        "checkout POST /orders fails where it did not before (74.7 ms -> 1.04 s): POST in payment fails: "
        "httpx.ReadTimeout after 1.00 s",
    ),
    baseline=side(A, 74.7), suspect=side(B, 1_040, errors=2), response_time=durations(74.7, 1_040),
    completion_time=durations(74.7, 1_040), causes=(TIMEOUT,),
    contributions=(group("POST", "payment", 25.2, 1_004),), notes=(),
    next_steps=(NextStep(text="Open the failing span of POST in payment and its logs at that time; check acmepay.",
                         finding="new-error",
                         links=(LinkTarget(kind="span", side="suspect", service="payment", span_id="3" * 16),)),),
)  # fmt: skip
CHANGED = change(
    verdict=verdict(
        VerdictKind.CHANGED, Confidence.MEDIUM,
        "checkout POST /orders takes about the same time (120 ms -> 124 ms) but works differently: checkout is version "
        "1.5.0 instead of 1.4.2",
        "the response time is about the same; two traces cannot tell whether the change is usual",
    ),
    suspect=side(B, 124, "1.5.0"), response_time=durations(120, 124), completion_time=durations(120, 124),
    causes=(msgspec.structs.replace(VERSION, rank=1),), contributions=(group("MGET", "catalog", 0.3, 4.3),),
    next_steps=(TYPICAL,), notes=(),
)  # fmt: skip
NO_DIFFERENCE = change(
    verdict=verdict(
        VerdictKind.NO_MEANINGFUL_DIFFERENCE, Confidence.MEDIUM,
        "no meaningful difference: checkout POST /orders takes 120 ms -> 118 ms",
        "two traces are one sample each; compare with the typical request to be sure",
    ),
    suspect=side(B, 118), response_time=durations(120, 118), completion_time=durations(120, 118), causes=(),
    contributions=(group("POST /charge", "payment", 40, 38),), next_steps=(TYPICAL,), notes=(),
)  # fmt: skip
IDENTICAL = change(
    verdict=verdict(
        VerdictKind.IDENTICAL, Confidence.HIGH,
        "these two traces do not differ: nothing here explains a spike; in both, 1.20 s of 1.21 s is spent in "
        "preprocess-request (inference-service)",
        "both are the same trace",
    ),
    baseline=side(A, 1_207.384), suspect=side(A, 1_207.384), response_time=durations(1_207.384, 1_207.384),
    completion_time=durations(1_207.384, 1_207.384), causes=(),
    contributions=(group("preprocess-request", "inference-service", 1_198.196, 1_198.196),), notes=(),
    next_steps=(NextStep(
        text="Both are the same request. To explain a spike, compare the slow one with a healthy trace of it.",
        finding="identical", links=()),),
)  # fmt: skip
NOT_COMPARABLE = change(
    verdict=verdict(
        VerdictKind.NOT_COMPARABLE, Confidence.HIGH,
        "not comparable: A is gateway GET /api/home, B is gateway GET /api/cart: two different operations",
        "A is gateway GET /api/home, B is gateway GET /api/cart: two different operations",
    ),
    causes=(), contributions=(group("GET", "gateway", 0, 21.4, (0, 1)), group("SELECT", "catalog", 18.7, 0, (1, 0))),
    next_steps=(NextStep(text="Pick two traces of the same operation.", finding="not-comparable", links=()),),
)  # fmt: skip

BY_VERDICT = {
    "slower": SLOWER, "faster": FASTER, "failing": FAILING, "changed": CHANGED,
    "no-meaningful-difference": NO_DIFFERENCE, "identical": IDENTICAL, "not-comparable": NOT_COMPARABLE,
}  # fmt: skip
