"""The report: what every rendering says, in which order, before any rendering's own syntax.

Text, Markdown and Slack differ in escaping and layout, not in what they tell. They all start from these
lines and rows, so they cannot contradict each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from analysis.comparison import Comparison, VerdictKind
from analysis.format import change, count, duration, share

if TYPE_CHECKING:
    from analysis.comparison import Cause, Contribution

TOP = 8  # rows of the table of spans; the rest is one line

DIFFERENCES = 6  # differences told that explain no time: enough to see a deployment, few enough to read

QUIET = (VerdictKind.IDENTICAL, VerdictKind.NO_MEANINGFUL_DIFFERENCE)


class Row(Struct, frozen=True, kw_only=True):
    """One line of the table of spans."""

    operation: str
    service: str
    detail: str
    calls: str
    times: str  # exposed time A -> B
    change: str
    baseline_span_id: str
    suspect_span_id: str


class Table(Struct, frozen=True, kw_only=True):
    """The groups that matter most, and how much of the whole they cover."""

    coverage: str
    rows: tuple[Row, ...]
    rest: str  # what the groups not listed add up to; "" when there are none


def table(comparison: Comparison, top: int = TOP) -> Table:
    """List the groups with the largest part of the difference (of the time, when there is no difference)."""
    contributions = [c for c in comparison.contributions if c.baseline_exposed_ns or c.suspect_exposed_ns or c.delta_ns]
    if comparison.verdict.kind in QUIET:
        return _by_time(comparison, contributions, top)
    listed = [c for c in contributions if c.delta_ns][:top] or contributions[:top]
    delta = comparison.response_time.delta_ns
    explained = sum(c.delta_ns for c in listed)
    rest = [c for c in contributions if c not in listed]
    coverage = (
        f"top {len(listed)} of {count(len(contributions), 'group')} of spans: {change(explained)} of {change(delta)}"
    )
    if delta and 0 <= explained * (1 if delta > 0 else -1) <= abs(delta):
        coverage += f" ({share(abs(explained), abs(delta))})"
    left = f"{count(len(rest), 'other group')}: {change(delta - explained)}" if rest else ""
    return Table(coverage=coverage, rows=tuple(map(_row, listed)), rest=left)


def _by_time(comparison: Comparison, contributions: list[Contribution], top: int) -> Table:
    listed = sorted(contributions, key=lambda c: (-c.suspect_exposed_ns, c.path, c.detail))[:top]
    total = comparison.response_time.suspect_ns
    spent = sum(c.suspect_exposed_ns for c in listed)
    rest = len(contributions) - len(listed)
    return Table(
        coverage=f"where the time goes in both: {duration(spent)} of {duration(total)} ({share(spent, total)})",
        rows=tuple(map(_row, listed)),
        rest=f"{count(rest, 'other group')}: {duration(total - spent)}" if rest else "",
    )


def _row(c: Contribution) -> Row:
    calls = str(c.suspect_calls) if c.baseline_calls == c.suspect_calls else f"{c.baseline_calls} -> {c.suspect_calls}"
    if c.suspect_errors != c.baseline_errors:
        calls += f" ({count(c.suspect_errors, 'error')})" if c.suspect_errors else ""
    return Row(
        operation=c.operation,
        service=c.service,
        detail=c.detail,
        calls=calls,
        times=f"{duration(c.baseline_exposed_ns)} -> {duration(c.suspect_exposed_ns)}",
        change=change(c.delta_ns),
        baseline_span_id=c.baseline_span_id,
        suspect_span_id=c.suspect_span_id,
    )


def cause_label(comparison: Comparison) -> str:
    """Say what the first cause is called: where nothing became slower or failed, it causes nothing."""
    return "Largest change" if comparison.verdict.kind in (*QUIET, VerdictKind.CHANGED) else "Cause"


def cause_line(cause: Cause) -> str:
    """Say one cause with its part of the difference."""
    if cause.delta_ns and cause.share:
        whole = 10_000
        part = share(round(cause.share * whole), whole)
        return f"{cause.summary} ({change(cause.delta_ns)}, {part} of the difference)"
    if cause.delta_ns:
        return f"{cause.summary} ({change(cause.delta_ns)})"
    return cause.summary


def times_line(comparison: Comparison) -> str:
    """Say response and completion time of both sides."""
    response, completion = comparison.response_time, comparison.completion_time
    line = f"response {duration(response.baseline_ns)} -> {duration(response.suspect_ns)} ({change(response.delta_ns)})"
    if (completion.baseline_ns, completion.suspect_ns) != (response.baseline_ns, response.suspect_ns):
        line += (
            f"; all work done after {duration(completion.baseline_ns)} -> {duration(completion.suspect_ns)}"
            f" ({change(completion.delta_ns)})"
        )
    return line


def other_changes(comparison: Comparison) -> list[str]:
    """List the further causes, what the first explains, and what merely differs, most important first."""
    lines = [cause_line(cause) for cause in comparison.causes[1:]]
    for cause in comparison.causes[:1]:
        lines.extend(f"follows from it: {symptom}" for symptom in cause.symptoms[:4])
    told = {cause.summary for cause in comparison.causes}.union(*(cause.evidence for cause in comparison.causes[:1]))
    differs = [f.summary for f in comparison.findings if f.affects == "nothing" and f.summary not in told]
    return [*lines, *differs[:DIFFERENCES]]


def note_lines(comparison: Comparison) -> list[str]:
    """List what weakens the answer."""
    return [f"{note.text} ({note.count:,})" if note.count > 1 else note.text for note in comparison.notes]
