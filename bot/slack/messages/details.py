"""Details: every cause with its evidence and its spans, as pages of a modal. Pure.

page      as many whole parts as are read comfortably (and far from Slack's limits)
part      a heading, one cause, or one span with all that it says about itself
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from analysis.format import duration, short_id
from analysis.report import cause_line, note_lines, times_line
from bot.links import trace_url
from bot.slack import elements as el
from bot.slack.limits import texts
from bot.slack.messages.recollection import recollection
from bot.slack.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from analysis.comparison import Cause
    from analysis.evidence import EventEvidence, SpanEvidence
    from bot.analysing.child import Answer
    from bot.slack.elements import Block, Element
    from bot.slack.messages.asked import Asked

DETAILS, PAGE = "details", "details_page"
VALUE = 1_500  # characters of one value
VALUE_LINES = 100  # of one value: a stack trace, and no flood of lines, each of which takes its time
BOX = 2_800  # characters of one box of attributes
PAGE_TEXT = 9_000
PAGE_BLOCKS = 60
PAGE_JSON = 60_000
CHANGES = 40  # lines of one list
LINES = 8  # of one block


class Place(Struct, frozen=True, kw_only=True):
    """Where somebody is: which answer, and which of its pages."""

    key: str
    page: int = 0


def view(key: str, answer: Answer, asked: Asked, page: int = 0) -> dict[str, Any]:
    """Return one page of the details of answer `key`, the nearest one that there is."""
    pages = _pages(_parts(answer, asked))
    number = min(max(page, 0), len(pages) - 1)
    turns = [_turn(key, number - 1, "Previous page")] if number else []
    turns += [_turn(key, number + 1, "Next page")] if number + 1 < len(pages) else []
    blocks = [*pages[number], *([el.context(f"Page {number + 1} of {len(pages)}")] if len(pages) > 1 else [])]
    return {
        "type": "modal", "callback_id": DETAILS, "title": _plain("Details"), "close": _plain("Close"),
        "blocks": [*blocks, *el.actions(*turns)],
    }  # fmt: skip


def gone(sentence: str) -> dict[str, Any]:
    """Return the view that says why there are no details."""
    blocks = [el.rich(el.section(el.text(sentence, width=1_000)))]
    return {
        "type": "modal",
        "callback_id": DETAILS,
        "title": _plain("Details"),
        "close": _plain("Close"),
        "blocks": blocks,
    }


def first_page(key: str) -> str:
    """Return what the button that opens the details says."""
    return msgspec.json.encode(Place(key=key)).decode()


def read_place(value: str) -> Place:
    """Return what a button of ours says; raises `msgspec.DecodeError` for anything else."""
    return msgspec.json.decode(value, type=Place)


def _turn(key: str, page: int, label: str) -> Element:
    place = msgspec.json.encode(Place(key=key, page=page)).decode()
    return el.button(label, f"{PAGE}_{'next' if label.startswith('Next') else 'previous'}", place)


def _plain(text: str) -> Element:
    return {"type": "plain_text", "text": text, "emoji": False}


def _pages(parts: Iterable[list[Block]]) -> list[list[Block]]:
    """Fill pages with parts; a part stays whole where a page can hold it."""
    pages: list[list[Block]] = [[]]
    for part in parts:
        for blocks in [part] if _fits(part) else [[block] for block in part]:
            if pages[-1] and not _fits([*pages[-1], *blocks]):
                pages.append([])
            pages[-1] += blocks
    return pages


def _fits(blocks: Sequence[Block]) -> bool:
    text = sum(map(len, texts(list(blocks))))
    return text <= PAGE_TEXT and len(blocks) <= PAGE_BLOCKS and len(msgspec.json.encode(blocks)) <= PAGE_JSON


def _parts(answer: Answer, asked: Asked) -> Iterable[list[Block]]:
    comparison = answer.comparison
    verdict = comparison.verdict
    head = [el.section(el.text(verdict.headline, bold=True, width=600)), el.section(el.text(times_line(comparison)))]
    sure = f"Confidence: {verdict.confidence.value}"
    head.append(el.section(el.text(sure)))
    if verdict.reasons:
        head.append(el.bullets([[el.text(reason)] for reason in verdict.reasons]))
    yield [el.rich(*head), *([recollection(asked.before, comparison.verdict.kind)] if asked.before is not None else [])]
    for cause in comparison.causes:
        yield _cause(cause)
        for span in answer.evidence:
            if span.cause == cause.rank:
                yield _span(span, answer, asked)
    told = {said for cause in comparison.causes for said in (cause.summary, *cause.symptoms)}
    also = [finding.summary for finding in comparison.findings if finding.summary not in told]
    for heading, lines in (("What else was found", also), ("About the data", note_lines(comparison))):
        if lines:
            yield _listed([el.section(el.text(heading, bold=True))], lines)


def _cause(cause: Cause) -> list[Block]:
    heading = el.section(el.text(f"{cause.rank}. {cause_line(cause)}", bold=True, width=500))
    blocks = [{"type": "divider"}, *_listed([heading], cause.evidence)]
    if cause.symptoms:
        blocks += _listed([el.section(el.text("Follows from it:"))], cause.symptoms)
    return blocks


def _listed(heading: list[Element], lines: Sequence[str]) -> list[Block]:
    """Return lines under a heading, a few to a block."""
    items = [[el.text(line, width=400)] for line in lines[:CHANGES]]
    groups = [items[start : start + LINES] for start in range(0, len(items), LINES)] or [[]]
    first = [*heading, el.bullets(groups[0])] if groups[0] else heading
    return [el.rich(*first), *(el.rich(el.bullets(group)) for group in groups[1:])]


def _span(span: SpanEvidence, answer: Answer, asked: Asked) -> list[Block]:
    """Return one span: what it is, where to open it, and everything that it says."""
    letter, source, side = (
        ("B", asked.suspect_source, answer.comparison.suspect)
        if span.side == "suspect"
        else ("A", asked.baseline_source, answer.comparison.baseline)
    )
    url = trace_url(source, side.trace_id, span.span_id) if source else None
    what = f"{span.operation} in {span.service}" if span.service else span.operation
    line = [
        el.text(f"{letter} {short_id(side.trace_id)}", code=True), el.space("  "), el.link(what, url),
        el.space(f"  {duration(span.duration_ns)}, {duration(span.after_ns)} after the start"),
    ]  # fmt: skip
    if span.error:
        line += [
            el.space("  "),
            el.text(f"failed: {span.status_message}" if span.status_message else "failed", width=400),
        ]
    lines = [*_lines(span.attributes), *(f"process: {line}" for line in _lines(span.resource))]
    for event in span.events:
        lines += _event(event)
    boxes = _boxes(lines)
    return [el.rich(el.section(*line), *boxes[:1]), *(el.rich(box) for box in boxes[1:])]


def _lines(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Say attributes line by line; a text of several lines, a stack trace, keeps them."""
    said = []
    for name, value in pairs:
        first, *more = value[:VALUE].splitlines() or [""]
        shown = filter(None, (clean(line, VALUE) for line in more[:VALUE_LINES]))
        said += [f"{clean(name, 200)} = {clean(first, VALUE)}", *(f"    {line}" for line in shown)]
        if len(more) > VALUE_LINES:
            said.append(f"    [{len(more) - VALUE_LINES} more lines]")
    return said


def _event(event: EventEvidence) -> list[str]:
    return [f"{duration(event.after_ns)} {clean(event.name, 200)}", *(f"  {line}" for line in _lines(event.attributes))]


def _boxes(lines: Iterable[str]) -> list[Element]:
    """Fill boxes with lines; no line is longer than a box."""
    boxes: list[list[str]] = []
    room = 0
    for line in lines:
        if len(line) + 1 > room:
            boxes.append([])
            room = BOX
        boxes[-1].append(line)
        room -= len(line) + 1
    return [el.preformatted("\n".join(box)) for box in boxes]
