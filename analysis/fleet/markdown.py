"""The full report on two windows as Markdown. Trace text is escaped: it can form no markup, link, mention or HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.fleet import words
from analysis.fleet.report import cause_line, details, group_name, window_line
from analysis.format import change, duration
from analysis.markdown import escape

if TYPE_CHECKING:
    from analysis.fleet.result import FleetComparison, FleetWindow

TOP = 20  # rows of the table of spans


def render_fleets_markdown(comparison: FleetComparison) -> str:
    """Render a comparison of two windows as a Markdown document; ends with a newline."""
    verdict = comparison.verdict
    lines = [f"# {escape(verdict.headline)}", ""]
    for cause in comparison.causes[:1]:
        lines += [f"**Cause:** {escape(cause_line(cause))}", "", *(f"- {escape(text)}" for text in details(cause)), ""]
    lines += [f"**Confidence: {verdict.confidence.value}.** {escape('; '.join(verdict.reasons))}", ""]
    if comparison.response_time is not None:
        lines += [f"**Time:** {escape(words.response(comparison.response_time))}", ""]
    lines += [f"**{letter}:** {escape(window_line(its))}\n" for letter, its in _sides(comparison)]
    if comparison.paths:
        lines += ["## Mean time on the critical path", ""]
        lines += ["| operation | service | calls | A | B | change | changed |", "|---|---|---:|---:|---:|---:|---|"]
        for its in comparison.paths[:TOP]:
            times = (duration(round(ns)) for ns in (its.baseline_exposed_ns, its.suspect_exposed_ns))
            calls = f"{its.baseline_calls:.3g} / {its.suspect_calls:.3g}"
            cells = (group_name(its), its.service, calls, *times, change(round(its.delta_ns)), "yes" * its.changed)
            lines.append("| " + " | ".join(map(escape, cells)) + " |")
        lines.append("")
    for cause in comparison.causes[1:]:
        lines += [f"## {cause.rank}. {escape(cause_line(cause))}", "", *(f"- {escape(t)}" for t in details(cause)), ""]
    if comparison.notes:
        lines += ["## About the data", "", *(f"- {escape(note.text)}" for note in comparison.notes)]
    return "\n".join(lines).rstrip() + "\n"


def _sides(comparison: FleetComparison) -> tuple[tuple[str, FleetWindow], ...]:
    return ("A", comparison.baseline), ("B", comparison.suspect)
