"""The full report as Markdown. Trace text is escaped: it can form no markup, link, mention or HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.markdown import escape
from analysis.report import cause_label, cause_line, note_lines, other_changes, table, times_line
from analysis.report_population import population_line, standing_lines

if TYPE_CHECKING:
    from analysis.comparison import Comparison, Side


def render_markdown(comparison: Comparison) -> str:
    """Render a comparison as a Markdown document; ends with a newline."""
    verdict = comparison.verdict
    lines = [f"# {escape(verdict.headline)}", ""]
    for cause in comparison.causes[:1]:
        lines += [f"**{cause_label(comparison)}:** {escape(cause_line(cause))}", ""]
        lines += [f"- {escape(text)}" for text in (*cause.evidence, *standing_lines(cause, comparison))]
        lines += [""]
    lines += [f"**Confidence: {verdict.confidence.value}.** {escape('; '.join(verdict.reasons))}", ""]
    if usual := population_line(comparison):
        lines += [f"**Population:** {escape(usual)}", ""]
    lines += [f"**Time:** {escape(times_line(comparison))}", ""]
    lines += ["| | trace | request | spans | services | errors | started |", "|---|---|---|---|---|---|---|"]
    lines += [_side("A", comparison.baseline), _side("B", comparison.suspect), ""]
    rows = table(comparison, top=20)
    lines += ["## Where the time went", "", escape(rows.coverage), ""]
    if rows.rows:
        lines += ["| operation | service | calls | on the critical path | change |", "|---|---|---:|---:|---:|"]
        for r in rows.rows:
            what = f"{r.operation} {r.detail}".strip() if r.detail != r.operation else r.operation
            lines.append("| " + " | ".join(map(escape, (what, r.service, r.calls, r.times, r.change))) + " |")
        lines += ["", escape(rows.rest)] if rows.rest else []
    for title, items in (
        ("What else changed", other_changes(comparison)),
        ("About the data", note_lines(comparison)),
    ):
        if items:
            lines += ["", f"## {title}", "", *(f"- {escape(text)}" for text in items)]
    if comparison.next_steps:
        lines += ["", "## Next steps", ""]
        lines += [f"{number}. {escape(step.text)}" for number, step in enumerate(comparison.next_steps, 1)]
    return "\n".join(lines).rstrip() + "\n"


def _side(letter: str, side: Side) -> str:
    cells = (side.trace_id, side.root, str(side.spans), str(len(side.services)), str(side.errors), side.started_at)
    return f"| {letter} | " + " | ".join(map(escape, cells)) + " |"
