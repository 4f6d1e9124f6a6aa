"""What the answer looks like: a `Comparison` becomes messages. Pure.

The root message must be understood at three in the morning on a phone: one line with the verdict, one with
the cause, one with how sure we are. Everything else stands in its thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from analysis.comparison import Confidence, VerdictKind
from analysis.format import change, duration, ratio, short_id
from analysis.report import cause_line, note_lines, other_changes
from bot.links import diff_url, trace_url
from bot.settings import SourceSettings
from bot.slack import elements as el
from bot.slack.elements import Message
from bot.slack.limits import problems
from bot.slack.text import clean, escaped

if TYPE_CHECKING:
    from analysis import Comparison
    from analysis.comparison import Side
    from analysis.report import Table
    from bot.slack.elements import Block, Element

SWAP = "swap"
MARKS = {
    VerdictKind.SLOWER: ("large_red_circle", "Slower"),
    VerdictKind.FAILING: ("x", "Failing"),
    VerdictKind.FASTER: ("large_green_circle", "Faster"),
    VerdictKind.CHANGED: ("large_yellow_circle", "Changed"),
    VerdictKind.NO_MEANINGFUL_DIFFERENCE: ("white_circle", "No meaningful difference"),
    VerdictKind.IDENTICAL: ("white_circle", "Identical"),
    VerdictKind.NOT_COMPARABLE: ("grey_question", "Not comparable"),
}
HEADER = ("what", "service", "calls A → B", "critical path A → B", "change")
NOTIFICATION = 2_000  # characters of a message's text, of the 4,000 that Slack takes
EVIDENCE = 3
OTHERS = 8
LATE_NS = 20_000_000  # less than this more work after the response is not worth a line


class Asked(Struct, frozen=True, kw_only=True):
    """Who asked what, and where the two traces live (None until they were fetched)."""

    baseline_id: str
    suspect_id: str
    user_name: str
    baseline_source: SourceSettings | None = None
    suspect_source: SourceSettings | None = None
    payload: str = ""  # the request, for the swap button


def comparing(asked: Asked) -> Message:
    """Return the root message while the work is under way."""
    a, b = short_id(asked.baseline_id), short_id(asked.suspect_id)
    line = el.section(
        el.emoji("hourglass_flowing_sand"), el.space(" Comparing "), el.text(a, code=True), el.space(" (A) with "),
        el.text(b, code=True), el.space(" (B) ..."),
    )  # fmt: skip
    return Message(text=f"Comparing {a} (A) with {b} (B) ...", blocks=[el.rich(line), el.context(_asked_by(asked))])


def verdict(comparison: Comparison, asked: Asked) -> Message:
    """Return the root message with the answer."""
    parts = [_headline(comparison), *_cause(comparison, asked)]
    blocks: list[Block] = [el.rich(*parts)]
    a, b = comparison.baseline.trace_id, comparison.suspect.trace_id
    blocks += el.actions(
        el.open_button("Open A", _open(asked.baseline_source, a), "open_a"),
        el.open_button("Open B", _open(asked.suspect_source, b), "open_b") if a != b else None,
        _diff(comparison, asked),
        el.button("Swap A and B", SWAP, asked.payload) if asked.payload and a != b else None,
    )
    sides = [_side("A", comparison.baseline), _side("B", comparison.suspect)] if a != b else [
        _side("A and B", comparison.baseline)
    ]  # fmt: skip
    blocks.append(el.context(*sides, _asked_by(asked)))
    return Message(text=notification(comparison), blocks=blocks)


def notification(comparison: Comparison) -> str:
    """Return the answer as one sentence, for notifications and screen readers."""
    word, headline = MARKS[comparison.verdict.kind][1], comparison.verdict.headline
    if headline.casefold().startswith(word.casefold()):
        headline = headline[len(word) :].lstrip(" :")
    return escaped(f"{word}: {headline}. Confidence: {comparison.verdict.confidence.value}.", NOTIFICATION)


def _headline(comparison: Comparison) -> Element:
    mark, word = MARKS[comparison.verdict.kind]
    response = comparison.response_time
    a, b = response.baseline_ns, response.suspect_ns
    root = comparison.suspect.root or "the request"
    kind = comparison.verdict.kind
    lead = [el.emoji(mark), el.space(" ")]
    times = f"{duration(a)} → {duration(b)}"
    if kind is VerdictKind.SLOWER:
        return el.section(
            *lead, el.text(f"{root} is {duration(b - a)} slower", bold=True), el.space(f"  {times}, {ratio(a, b)}")
        )
    if kind is VerdictKind.FASTER:
        return el.section(*lead, el.text(f"{root} is {duration(a - b)} faster", bold=True), el.space(f"  {times}"))
    if kind is VerdictKind.FAILING:
        return el.section(*lead, el.text(f"{root} has new errors", bold=True), el.space(f"  {times}"))
    if kind is VerdictKind.CHANGED:
        return el.section(
            *lead, el.text(f"{root} works differently", bold=True), el.space(f"  in about the same time, {times}")
        )
    if kind is VerdictKind.NO_MEANINGFUL_DIFFERENCE:
        return el.section(*lead, el.text(f"{word}: {root}", bold=True), el.space(f"  {times}"))
    headline = comparison.verdict.headline
    return el.section(*lead, el.text(headline[:1].upper() + headline[1:], bold=True, width=600))


def _cause(comparison: Comparison, asked: Asked) -> list[Element]:
    """Return the paragraphs under the headline: the cause with its evidence, and how sure we are."""
    parts: list[Element] = []
    verdict_ = comparison.verdict
    if comparison.causes:
        top = comparison.causes[0]
        url = None
        if top.suspect_span_ids and asked.suspect_source:
            url = trace_url(asked.suspect_source, comparison.suspect.trace_id, top.suspect_span_ids[0])
        label = "Cause: " if verdict_.kind not in _QUIET else "Largest change: "
        parts.append(
            el.section(
                el.space("\n"), el.text(label[:-1], bold=True), el.space(" "), el.link(cause_line(top), url, width=400)
            )
        )
        if top.evidence:
            parts.append(el.bullets([[el.text(text, width=240)] for text in top.evidence[:EVIDENCE]]))
    sure = f"{verdict_.confidence.value}"
    reasons = "; ".join(verdict_.reasons[:3])
    if verdict_.kind not in _NO_CAUSE:
        line = [el.text("Confidence:", bold=True), el.space(" "), el.text(sure)]
        if reasons:
            line += [el.space(", " if verdict_.confidence is Confidence.HIGH else ": "), el.text(reasons, width=400)]
        parts.append(el.section(*line))
    elif comparison.next_steps:
        parts.append(el.section(el.space("\n"), el.text(comparison.next_steps[0].text, width=300)))
    return parts


_NO_CAUSE = (VerdictKind.IDENTICAL, VerdictKind.NOT_COMPARABLE)
_TITLES = {
    VerdictKind.SLOWER: "Top offending spans",
    VerdictKind.FAILING: "Top offending spans",
    VerdictKind.FASTER: "Spans that changed most",
    VerdictKind.CHANGED: "Spans that changed most",
    VerdictKind.NO_MEANINGFUL_DIFFERENCE: "Spans",
    VerdictKind.IDENTICAL: "Spans",
    VerdictKind.NOT_COMPARABLE: "Where each spends its time",
}
_QUIET = (VerdictKind.NO_MEANINGFUL_DIFFERENCE, VerdictKind.IDENTICAL, VerdictKind.CHANGED)


def _open(source: SourceSettings | None, trace_id: str) -> str | None:
    return trace_url(source, trace_id) if source else None


def _diff(comparison: Comparison, asked: Asked) -> Element | None:
    one, two = asked.baseline_source, asked.suspect_source
    if one is None or two is None:
        return None
    url = diff_url(one, two, comparison.baseline.trace_id, comparison.suspect.trace_id)
    return el.open_button("Side by side", url, "open_diff")


def _side(letter: str, side: Side) -> str:
    version = side.versions.get(side.root_service, "")
    when = side.started_at[:19].replace("T", " ") + " UTC" if side.started_at else ""
    parts = [
        f"{letter} {short_id(side.trace_id)}",
        when,
        f"v{version.removeprefix('v')}" if version else "",
        f"{side.spans} spans",
    ]
    return " · ".join(part for part in parts if part)


def _asked_by(asked: Asked) -> str:
    names = dict.fromkeys(s.name for s in (asked.baseline_source, asked.suspect_source) if s)
    where = f"from {' and '.join(names)}, " if names else ""
    return f"{where}asked by {asked.user_name}" if asked.user_name else where.rstrip(", ")


def thread(comparison: Comparison, rows: Table, asked: Asked) -> list[Message]:
    """Return the replies in the thread: the spans (`rows`), what else changed, what to do next."""
    messages = [_spans(comparison, rows, asked)]
    others = _others(comparison)
    if others is not None:
        messages.append(others)
    said = 1 if comparison.verdict.kind in _NO_CAUSE else 0  # the root message gives the first step instead of a cause
    if len(comparison.next_steps) > said:
        messages.append(_steps(comparison, asked))
    return messages


def _spans(comparison: Comparison, rows: Table, asked: Asked) -> Message:
    name = _TITLES[comparison.verdict.kind]
    apart = comparison.verdict.kind is VerdictKind.NOT_COMPARABLE  # there sums over both sides mean nothing
    coverage = "the longest groups of spans on either side" if apart else rows.coverage
    title = el.rich(el.section(el.text(name, bold=True), el.space("  "), el.text(coverage)))
    rest = [el.context(rows.rest)] if rows.rest and not apart else []
    text = escaped(f"{name}: {coverage}", 1_000)
    plain = [title, el.rich(el.preformatted(_plain(rows)))]
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
            el.cell(_what(row.operation, row.detail), url=url), el.cell(row.service), el.cell(_arrow(row.calls)),
            el.cell(_arrow(row.times)), el.cell(row.change),
        ])  # fmt: skip
    settings = [{"is_wrapped": True}, {}, {"align": "right"}, {"align": "right"}, {"align": "right"}]
    return {"type": "table", "column_settings": settings, "rows": body}


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


def _others(comparison: Comparison) -> Message | None:
    changes = other_changes(comparison)[:OTHERS]
    notes = note_lines(comparison)[:OTHERS]
    late = _work_after(comparison)
    if late and comparison.verdict.kind not in _NO_CAUSE:
        changes.append(late)
    if not changes and not notes:
        return None
    parts: list[Element] = []
    for heading, lines in (("What else changed", changes), ("About the data", notes)):
        if lines:
            parts += [el.section(el.text(heading, bold=True)), el.bullets([[el.text(line)] for line in lines])]
    said = f"What else changed: {'; '.join(changes)}" if changes else f"About the data: {'; '.join(notes)}"
    return Message(text=escaped(said, 1_000), blocks=[el.rich(*parts)])


def _work_after(comparison: Comparison) -> str:
    """Say how long work goes on after the response, when that changed."""
    response, completion = comparison.response_time, comparison.completion_time
    before, after = completion.baseline_ns - response.baseline_ns, completion.suspect_ns - response.suspect_ns
    if abs(after - before) < LATE_NS:
        return ""
    return f"work after the response: it goes on for {duration(before)} → {duration(after)} ({change(after - before)})"


def _steps(comparison: Comparison, asked: Asked) -> Message:
    items = []
    for step in comparison.next_steps:
        item = [el.text(step.text, width=400)]
        for target in step.links:
            source, trace_id = (
                (asked.suspect_source, comparison.suspect.trace_id)
                if target.side == "suspect"
                else (asked.baseline_source, comparison.baseline.trace_id)
            )
            url = trace_url(source, trace_id, target.span_id) if source and target.kind == "span" else None
            if url:
                item += [el.space("  "), el.link("open the span", url)]
        items.append(item)
    heading = el.section(el.text("Suggested next steps", bold=True))
    said = "; ".join(f"{number}. {step.text}" for number, step in enumerate(comparison.next_steps, 1))
    return Message(
        text=escaped(f"Suggested next steps: {said}", 1_500), blocks=[el.rich(heading, el.bullets(items, "ordered"))]
    )
