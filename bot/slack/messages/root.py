"""The root message: the announcement, and the verdict that takes its place. Pure.

The root message must be understood at three in the morning on a phone: one line with the verdict, one with
the cause, one with how sure we are. Everything else stands in its thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.comparison import Confidence, VerdictKind
from analysis.format import duration, ratio, short_id
from analysis.report import cause_label, cause_line
from analysis.report_population import population_line, recurrence_line
from bot.links import diff_url, trace_url
from bot.slack import elements as el
from bot.slack.elements import Message
from bot.slack.messages.details import DETAILS, first_page
from bot.slack.messages.recollection import recollection
from bot.slack.text import escaped

if TYPE_CHECKING:
    from analysis import Comparison
    from analysis.comparison import Side
    from bot.settings import SourceSettings
    from bot.slack.elements import Block, Element
    from bot.slack.messages.asked import Asked

SWAP = "swap"
TYPICAL = "typical"
MARKS = {
    VerdictKind.SLOWER: ("large_red_circle", "Slower"),
    VerdictKind.FAILING: ("x", "New errors"),
    VerdictKind.FASTER: ("large_green_circle", "Faster"),
    VerdictKind.CHANGED: ("large_yellow_circle", "Changed"),
    VerdictKind.NO_MEANINGFUL_DIFFERENCE: ("white_circle", "No meaningful difference"),
    VerdictKind.IDENTICAL: ("white_circle", "Identical"),
    VerdictKind.NOT_COMPARABLE: ("grey_question", "Not comparable"),
}
NO_CAUSE = (VerdictKind.IDENTICAL, VerdictKind.NOT_COMPARABLE)
NOTIFICATION = 2_000  # characters of a message's text, of the 4,000 that Slack takes
EVIDENCE = 3


def comparing(asked: Asked) -> Message:
    """Return the root message while the work is under way."""
    a, b = short_id(asked.baseline_id), short_id(asked.suspect_id)
    if not asked.suspect_id:
        said = "Looking for a request that shows what this alert is about ..."
        line = el.section(el.emoji("hourglass_flowing_sand"), el.space(f" {said}"))
        return Message(text=said, blocks=[el.rich(line), *small_print(asked)])
    if not asked.baseline_id:
        line = el.section(
            el.emoji("hourglass_flowing_sand"), el.space(" Comparing "), el.text(b, code=True),
            el.space(" with a typical request of the same operation ..."),
        )  # fmt: skip
        said = f"Comparing {b} with a typical request of the same operation ..."
        return Message(text=said, blocks=[el.rich(line), *small_print(asked)])
    line = el.section(
        el.emoji("hourglass_flowing_sand"), el.space(" Comparing "), el.text(a, code=True), el.space(" (A) with "),
        el.text(b, code=True), el.space(" (B) ..."),
    )  # fmt: skip
    return Message(text=f"Comparing {a} (A) with {b} (B) ...", blocks=[el.rich(line), *small_print(asked)])


def small_print(asked: Asked, *sides: str) -> list[Block]:
    """Return what belongs under a message in small print, `sides` first; no block when there is nothing to say."""
    lines = [line for line in (*sides, asked.note, _asked_by(asked)) if line]
    return [el.context(*lines)] if lines else []


def verdict(comparison: Comparison, asked: Asked) -> Message:
    """Return the root message with the answer."""
    parts = [_headline(comparison), *_cause(comparison, asked)]
    blocks: list[Block] = [el.rich(*parts)]
    a, b = comparison.baseline.trace_id, comparison.suspect.trace_id
    blocks += el.actions(
        el.open_button("Open A", _open(asked.baseline_source, a), "open_a"),
        el.open_button("Open B", _open(asked.suspect_source, b), "open_b") if a != b else None,
        _diff(comparison, asked),
        el.button("Details", DETAILS, first_page(asked.key)) if asked.key else None,
        el.button("Compare with typical", TYPICAL, asked.typical) if asked.typical else None,
        el.button("Swap A and B", SWAP, asked.payload) if asked.payload and a != b else None,
    )
    sides = [_side("A", comparison.baseline), _side("B", comparison.suspect)] if a != b else [
        _side("A and B", comparison.baseline)
    ]  # fmt: skip
    if asked.before is not None:
        blocks.append(recollection(asked.before, comparison.verdict.kind))
    found = [f"{side} is {what}" for side, what in (("A", asked.compared_with), ("B", asked.stands_for)) if what]
    more = [*found, *filter(None, [asked.trend])]
    blocks += small_print(asked, *sides, *more)
    told = [*more, asked.before.words(comparison.verdict.kind)] if asked.before is not None else more
    text = " ".join([notification(comparison), *(escaped(f"{line}.", 500) for line in told)])
    return Message(text=text, blocks=blocks)


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
        label = f"{cause_label(comparison)}:"
        parts.append(el.section(el.text(label, bold=True), el.space(" "), el.link(cause_line(top), url, width=400)))
        if top.evidence:
            parts.append(el.bullets([[el.text(text, width=240)] for text in top.evidence[:EVIDENCE]]))
    sure = f"{verdict_.confidence.value}"
    reasons = "; ".join(verdict_.reasons[:3])
    if verdict_.kind not in NO_CAUSE:
        line = [el.text("Confidence:", bold=True), el.space(" "), el.text(sure)]
        if reasons:
            line += [el.space(", " if verdict_.confidence is Confidence.HIGH else ": "), el.text(reasons, width=400)]
        parts.append(el.section(*line))
        if usual := _usual(comparison):
            parts.append(el.section(el.text(usual, width=300)))
    elif comparison.next_steps:
        parts.append(el.section(el.text(comparison.next_steps[0].text, width=300)))
    return parts


def _usual(comparison: Comparison) -> str:
    """Say in one line what recent requests say about both, and whether they show the cause too."""
    lines = [population_line(comparison)]
    lines += [recurrence_line(cause.population, comparison) for cause in comparison.causes[:1]]
    return ". ".join(line[:1].upper() + line[1:] for line in lines if line)


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
