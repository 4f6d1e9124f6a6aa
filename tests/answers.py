"""Answers made by hand: comparisons as the bot gets, keeps and shows them."""

from __future__ import annotations

import zlib

import msgspec
from comparisons import SLOWER

from analysis import Comparison, render_markdown
from analysis.evidence import EventEvidence, SpanEvidence
from analysis.report import table
from bot.analysing.child import Answer, Report
from bot.inquiry.result import Result
from bot.requests.request import CompareRequest, Origin, TraceRef
from bot.settings import SourceSettings
from bot.slack import messages as ms
from bot.state.memory import Answered

MS = 1_000_000
NOW = 1_795_000_000.0
JAEGER = SourceSettings(name="jaeger-prod", kind="jaeger", url="http://jaeger:16686", ui_url="https://jaeger.example")


def span(side: str, duration_ms: float, cause: int = 1, **changes: object) -> SpanEvidence:
    """Return a span that a cause names."""
    made = SpanEvidence(
        cause=cause, side=side, span_id=("2" if side == "suspect" else "1") * 16, service="catalog", operation="SELECT",
        kind="client", after_ns=12 * MS, duration_ns=round(duration_ms * MS), error=False, status_message="",
        attributes=(("db.query.text", "SELECT * FROM orders WHERE id = ?"), ("db.system", "postgresql")),
        resource=(("host.name", "node-7"), ("service.version", "1.5.0" if side == "suspect" else "1.4.2")),
        events=(),
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


BOOM = EventEvidence(
    name="exception", after_ns=18 * MS,
    attributes=(("exception.stacktrace", "Traceback:\n  File a.py, line 1\nTimeout"), ("exception.type", "Timeout")),
)  # fmt: skip


def answer(comparison: Comparison = SLOWER, evidence: tuple[SpanEvidence, ...] | None = None) -> Answer:
    """Return what the analysis hands over."""
    if evidence is None:
        evidence = (span("suspect", 18.7, error=True, status_message="timeout", events=(BOOM,)), span("baseline", 18.2))
    report = Report(
        markdown=zlib.compress(render_markdown(comparison).encode(errors="replace")),
        json=zlib.compress(b"{}"),
        whole=True,
    )
    return Answer(comparison=comparison, table=table(comparison), evidence=evidence, report=report)


def result(comparison: Comparison = SLOWER, **changes: object) -> Result:
    """Return an answer as it is kept."""
    refs = [TraceRef(trace_id=side.trace_id) for side in (comparison.baseline, comparison.suspect)]
    made = Result(
        request=CompareRequest(baseline=refs[0], suspect=refs[1]), baseline=refs[0], suspect=refs[1],
        origin=Origin(team="T1", channel="C0INCIDENT", user="U1", user_name="alice"), answer=answer(comparison),
        baseline_source="jaeger-prod", suspect_source="jaeger-prod",
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def asked(comparison: Comparison = SLOWER, source: SourceSettings = JAEGER, **changes: object) -> ms.Asked:
    """Return who asked what, with every button that an answer can have."""
    made = ms.Asked(
        baseline_id=comparison.baseline.trace_id, suspect_id=comparison.suspect.trace_id, user_name="alice",
        baseline_source=source, suspect_source=source, payload="{}", typical="{}", key="k" * 32,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def answered(key: str = "k1", at: float = NOW, **changes: object) -> Answered:
    """Return an answer as it is remembered."""
    made = Answered(
        key=key, team="T1", channel="C0INCIDENT", ts=f"{at:.6f}", at=at, user="U1", user_name="alice", baseline_id="a" * 32,
        suspect_id="b" * 32, verdict="slower", headline="checkout is 1.18 s slower", request="checkout POST /orders",
        about=("SELECT in catalog runs 61 times instead of 1 (catalog SELECT)",), fingerprints=("1-aa", "1-bb"),
        sources=("jaeger",), tenant=None,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)
