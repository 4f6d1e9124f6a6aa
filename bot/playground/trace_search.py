"""What the recorded traces answer when they are searched: as Jaeger 1.x does, and as Tempo does.

Of TraceQL it knows what a search for traces needs: conditions on names, durations and status, joined by `&&`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from msgspec import Struct

from analysis.model import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from analysis import Trace

UNITS_NS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
_DURATION = re.compile(r"([0-9.]+)(ns|us|ms|s)")
_CONDITION = re.compile(r"\s*([A-Za-z.:]+)\s*(>=|<=|=|>)\s*(\"(?:[^\"\\]|\\.)*\"|[^\s\"{}&]+)\s*")


class QueryError(ValueError):
    """The query cannot be read."""


class Recorded(Struct, frozen=True):
    """One recorded trace, and what searches look at."""

    trace_id: str
    spans: tuple[Span, ...]
    root: Span | None
    start_ns: int
    duration_ns: int

    @classmethod
    def of(cls, trace: Trace) -> Recorded:
        """Look at a trace."""
        start = min(span.start_ns for span in trace.spans)
        root = next((span for span in trace.spans if not span.parent_id), None)
        return cls(trace.trace_id, trace.spans, root, start, max(span.end_ns for span in trace.spans) - start)


Test = tuple[str, str, "str | int"]  # field, comparison, value


def duration_ns(text: str) -> int:
    """Read a Go duration of one unit ("1500us"); raises `QueryError`."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise QueryError(f'time: invalid duration "{text}"')
    return int(float(match[1]) * UNITS_NS[match[2]])


def conditions(query: str) -> list[Test]:
    """Read a TraceQL query; raises `QueryError` for what is not understood here."""
    inner = query.strip()
    if not inner.startswith("{") or not inner.endswith("}"):
        raise QueryError("parse error at line 1, col 1: syntax error: unexpected IDENTIFIER")
    inner, at, tests = inner[1:-1], 0, []
    while inner[at:].strip():
        match = _CONDITION.match(inner, at)
        if match is None:
            raise QueryError(f"parse error at line 1, col {at + 2}: syntax error")
        field, comparison, literal = match.groups()
        if field not in _TRACE_FIELDS and field not in _SPAN_FIELDS:
            raise QueryError(f"parse error at line 1, col {at + 2}: unknown identifier: {field}")
        is_duration = field in ("traceDuration", "duration")
        value = duration_ns(literal) if is_duration else json.loads(literal) if literal.startswith('"') else literal
        tests.append((field, comparison, value))
        at = match.end()
        at += 2 if inner.startswith("&&", at) else 0
    return tests


_TRACE_FIELDS: dict[str, Callable[[Recorded], str | int]] = {
    "rootServiceName": lambda trace: trace.root.service if trace.root else "",
    "rootName": lambda trace: trace.root.name if trace.root else "",
    "traceDuration": lambda trace: trace.duration_ns,
}
_SPAN_FIELDS: dict[str, Callable[[Span], str | int]] = {
    "resource.service.name": lambda span: span.service,
    "name": lambda span: span.name,
    "duration": lambda span: span.end_ns - span.start_ns,
    "status": lambda span: "error" if span.error else "unset",
}


def _holds(actual: str | int, comparison: str, wanted: str | int) -> bool:
    if comparison == "=":
        return actual == wanted
    if not isinstance(actual, int) or not isinstance(wanted, int):
        return False
    if comparison == ">":
        return actual > wanted
    return actual >= wanted if comparison == ">=" else actual <= wanted


def matches(trace: Recorded, tests: Iterable[Test]) -> list[Span]:
    """Return the spans of a trace that meet every condition."""
    of_spans = []
    for field, comparison, value in tests:
        if field in _TRACE_FIELDS:
            if not _holds(_TRACE_FIELDS[field](trace), comparison, value):
                return []
        else:
            of_spans.append((_SPAN_FIELDS[field], comparison, value))
    return [span for span in trace.spans if all(_holds(of(span), how, value) for of, how, value in of_spans)]


def meets(span: Span, tests: Iterable[Test]) -> bool:
    """Tell whether a span meets conditions on spans."""
    return all(field in _SPAN_FIELDS and _holds(_SPAN_FIELDS[field](span), how, value) for field, how, value in tests)


def within(trace: Recorded, start_ns: int, end_ns: int) -> bool:
    """Tell whether a trace began in a window."""
    return start_ns <= trace.start_ns < end_ns


def tempo_answer(found: Iterable[tuple[Recorded, list[Span]]]) -> dict[str, object]:
    """Write what was found as Tempo's search does: ids without leading zeros, few spans per trace."""
    traces = []
    for trace, spans in found:
        matched = {
            "matched": len(spans),
            "spans": [
                {
                    "spanID": span.span_id, "name": span.name, "startTimeUnixNano": str(span.start_ns),
                    "durationNanos": str(span.end_ns - span.start_ns),
                }
                for span in spans[:3]
            ],
        }  # fmt: skip
        stats: dict[str, dict[str, int]] = {}
        for span in trace.spans:
            count = stats.setdefault(span.service, {"spanCount": 0, "errorCount": 0})
            count["spanCount"] += 1
            count["errorCount"] += span.error
        traces.append({
            "traceID": trace.trace_id.lstrip("0"), "rootServiceName": trace.root.service if trace.root else "",
            "rootTraceName": trace.root.name if trace.root else "", "startTimeUnixNano": str(trace.start_ns),
            "durationMs": trace.duration_ns // 1_000_000, "spanSets": [matched], "serviceStats": stats,
        })  # fmt: skip
    return {"traces": traces, "metrics": {}}
