"""Plain text for the terminal, and for everywhere that shows nothing richer."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from analysis.format import count, shorten
from analysis.report import cause_label, cause_line, note_lines, other_changes, table, times_line
from analysis.report_population import population_line, standing_lines

if TYPE_CHECKING:
    from analysis.comparison import Comparison, Side
    from analysis.report import Table

WIDTH = 100


def render_text(comparison: Comparison, rows: Table | None = None) -> str:
    """Render a comparison as text of at most 100 columns; ends with a newline.

    `rows`: its table, where the comparison itself came without its long tail.
    """
    verdict = comparison.verdict
    lines = [*wrap(verdict.headline, WIDTH), ""]
    for cause in comparison.causes[:1]:
        lines += _item(f"{cause_label(comparison)}:", cause_line(cause))
        for text in (*cause.evidence, *standing_lines(cause, comparison)):
            lines += _item("      -", text)
    lines += _item("Confidence:", f"{verdict.confidence.value}: " + "; ".join(verdict.reasons))
    if usual := population_line(comparison):
        lines += _item("Population:", usual)
    lines += _item("Time:", times_line(comparison))
    lines += [*_side("A", comparison.baseline), *_side("B", comparison.suspect), ""]
    lines += _table(rows or table(comparison))
    for title, items in (
        ("What else changed", other_changes(comparison)),
        ("About the data", note_lines(comparison)),
    ):
        if items:
            lines += ["", title]
            for text in items:
                lines += _item("  -", text)
    if comparison.next_steps:
        lines += ["", "Next steps"]
        for number, step in enumerate(comparison.next_steps, 1):
            lines += _item(f"  {number}.", step.text)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _item(label: str, text: str) -> list[str]:
    indent = " " * (len(label) + 1)
    return wrap(f"{label} {text}", WIDTH, subsequent_indent=indent, break_long_words=True) or [label]


def _side(letter: str, side: Side) -> list[str]:
    parts = [side.trace_id, side.root, f"{count(side.spans, 'span')} in {count(len(side.services), 'service')}"]
    if side.errors:
        parts.append(f"{side.errors} with errors")
    if side.started_at:
        parts.append(side.started_at)
    return _item(f"{letter} ", ", ".join(parts))


def _table(rows: Table) -> list[str]:
    lines = [rows.coverage]
    if not rows.rows:
        return lines
    cells = [("operation", "service", "calls", "on the critical path", "change")]
    cells += [(_what(r.operation, r.detail), shorten(r.service, 20), r.calls, r.times, r.change) for r in rows.rows]
    widths = [max(len(row[column]) for row in cells) for column in range(5)]
    for operation, service, calls, times, moved in cells:
        lines.append(
            f"  {operation:<{widths[0]}}  {service:<{widths[1]}}  {calls:>{widths[2]}}  {times:>{widths[3]}}"
            f"  {moved:>{widths[4]}}"
        )
    if rows.rest:
        lines.append(f"  {rows.rest}")
    return lines


def _what(operation: str, detail: str) -> str:
    if detail and detail != operation:
        return shorten(f"{operation} {detail.removeprefix(operation).strip()}", 40)
    return shorten(operation, 40)
