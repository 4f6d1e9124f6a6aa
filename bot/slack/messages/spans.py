"""The table of the spans that changed most, each row with its link. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.comparison import VerdictKind
from bot.links import trace_url
from bot.slack import elements as el
from bot.slack.elements import Message
from bot.slack.limits import problems
from bot.slack.text import clean, escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis import Comparison
    from analysis.report import Row, Table
    from bot.slack.elements import Block
    from bot.slack.messages.asked import Asked

HEADER = ("what", "change", "calls A → B", "service", "critical path A → B")  # a phone shows the first ones
TITLES = {
    VerdictKind.SLOWER: "Top offending spans",
    VerdictKind.FAILING: "Top offending spans",
    VerdictKind.FASTER: "Spans that changed most",
    VerdictKind.CHANGED: "Spans that changed most",
    VerdictKind.NO_MEANINGFUL_DIFFERENCE: "Spans",
    VerdictKind.IDENTICAL: "Spans",
    VerdictKind.NOT_COMPARABLE: "Where each spends its time",
}
BY_TIME = (VerdictKind.NO_MEANINGFUL_DIFFERENCE, VerdictKind.IDENTICAL, VerdictKind.NOT_COMPARABLE)


def spans(comparison: Comparison, rows: Table, asked: Asked, foot: Sequence[Block] = ()) -> Message:
    """Return the table above `foot`, and the same rows as fixed-width text for where Slack refuses tables."""
    name = TITLES[comparison.verdict.kind]
    apart = comparison.verdict.kind is VerdictKind.NOT_COMPARABLE  # there sums over both sides mean nothing
    coverage = "the longest groups of spans on either side" if apart else rows.coverage
    title = el.rich(el.section(el.text(name, bold=True), el.space("  "), el.text(coverage)))
    rest = [*([el.context(rows.rest)] if rows.rest and not apart else []), *foot]
    said = "; ".join(_said(row, comparison.verdict.kind) for row in rows.rows)
    text = escaped(f"{name}: {coverage}. {said}", 1_500)
    plain = [title, el.rich(el.preformatted(_plain(rows))), *foot]
    if not rows.rows:
        return Message(text=text, blocks=[title, *rest])
    # Links to Grafana are long: as many of them as a message has room for, the most important rows first.
    linked = len(rows.rows)
    blocks = [title, _table(comparison, rows, asked, linked), *rest]
    while linked and problems({"text": text, "blocks": blocks}):
        linked //= 2
        blocks = [title, _table(comparison, rows, asked, linked), *rest]
    return Message(text=text, blocks=blocks, plain_blocks=plain)


def _table(comparison: Comparison, rows: Table, asked: Asked, linked: int) -> Block:
    """Return the table block; the first `linked` rows link to their spans."""
    body = [[el.cell(name, bold=True) for name in HEADER]]
    for number, row in enumerate(rows.rows):
        url = None
        if number >= linked:
            pass
        elif row.suspect_span_id and asked.suspect_source:
            url = trace_url(asked.suspect_source, comparison.suspect.trace_id, row.suspect_span_id)
        elif row.baseline_span_id and asked.baseline_source:
            url = trace_url(asked.baseline_source, comparison.baseline.trace_id, row.baseline_span_id)
        body.append([
            el.cell(_what(row.operation, row.detail), url=url), el.cell(row.change), el.cell(_arrow(row.calls)),
            el.cell(row.service), el.cell(_arrow(row.times)),
        ])  # fmt: skip
    settings = [{"is_wrapped": True}, {"align": "right"}, {"align": "right"}, {}, {"align": "right"}]
    return {"type": "table", "column_settings": settings, "rows": body}


def _said(row: Row, kind: VerdictKind) -> str:
    """Say a row in words: how its time changed, or, where that says nothing, its time."""
    calls = f", {_arrow(row.calls)} calls" if "->" in row.calls else ""
    time = _arrow(row.times) if kind in BY_TIME else row.change
    return f"{_what(row.operation, row.detail)} in {clean(row.service, 40) or '-'} {time}{calls}"


def _arrow(text: str) -> str:
    return text.replace(" -> ", " → ")


def _what(operation: str, detail: str) -> str:
    if not detail or detail == operation:
        return clean(operation, 70)
    return clean(f"{operation} {detail.removeprefix(operation).strip()}", 70)


def _plain(rows: Table) -> str:
    """Return the table as fixed-width text, narrow enough for a phone held sideways."""
    lines = [
        f"{row.change:>10}  {_arrow(row.calls):>8}  {clean(row.service, 18):<18}  {_what(row.operation, row.detail)}"
        for row in rows.rows
    ]
    return "\n".join([f"{'change':>10}  {'calls':>8}  {'service':<18}  what", *lines, rows.rest]).rstrip()
