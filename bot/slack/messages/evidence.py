"""What logs and metrics say, in one message under the answer. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.evidence.sparkline import sparkline
from bot.evidence.words import (
    NOTHING,
    SAMPLE,
    confidence_line,
    lines,
    metric_words,
    nothing_new,
    silence,
    span_words,
)
from bot.links import Place, service_links
from bot.slack import elements as el
from bot.slack.elements import Message
from bot.slack.text import escaped

if TYPE_CHECKING:
    from analysis import Comparison
    from bot.evidence.facts import Evidence
    from bot.evidence.weighing import Weight
    from bot.slack.elements import Element
    from bot.slack.messages.asked import Asked

TEXT = 2_500
TITLE = "What logs and metrics say"


def evidence(its: Evidence, weight: Weight | None, comparison: Comparison, asked: Asked) -> Message:
    """Return the message about evidence, and about what it does to the confidence."""
    today = comparison.suspect.started_at_ns // 10**9
    parts: list[Element] = [el.section(el.text(TITLE, bold=True))]
    for fact in its.metrics:
        where, words = f"{fact.operation} in {fact.service}", metric_words(fact, today)
        links = _links(_pages(asked, comparison, fact.service, ("dashboard", "metric")))
        parts.append(el.bullets([[el.text(where, code=True), el.space("  "), el.text(words, width=400), *links]]))
        parts.append(el.preformatted(f"{sparkline(fact.trend.points)}  {span_words(fact, today)}"))
    for log in its.logs:
        links = _links(_pages(asked, comparison, log.service, ("log",)))
        shown = [el.text(f"{log.lead}:"), el.space(" "), el.text(log.sample, code=True, width=SAMPLE)]
        parts.append(el.bullets([[*shown, el.space("  "), el.text(log.words()), *links]]))
    parts += [el.bullets([[el.text(change.words(today), width=300)]]) for change in its.changes]
    parts += [el.bullets([[el.text(quiet)]]) for quiet in nothing_new(its)]
    if not its.found:
        parts.append(el.section(el.text(NOTHING)))
    if weight is not None:
        line = confidence_line(weight)
        parts.append(el.section(el.space("\n"), el.text(line, width=600)))
    silent = silence(its.silent)
    names = dict.fromkeys(look.source for look in its.looks)
    names |= dict.fromkeys(fact.source for fact in its.metrics) | dict.fromkeys(fact.source for fact in its.changes)
    small = [f"from {' and '.join(names)}" if names else "", *silent]
    blocks = [el.rich(*parts)]
    if any(small):
        blocks.append(el.context(*small))
    return Message(text=escaped(f"{TITLE}: {'. '.join(lines(its, weight, today))}.", TEXT), blocks=blocks)


def _pages(asked: Asked, comparison: Comparison, service: str, about: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the configured pages about a service whose title says that they show what a line is about."""
    side = comparison.suspect
    place = Place(
        service=service, trace_id=side.trace_id, start_ns=side.started_at_ns,
        end_ns=side.started_at_ns + side.completion_time_ns,
    )  # fmt: skip
    pages = service_links(asked.links, place)
    return [(title, url) for title, url in pages if any(word in title.casefold() for word in about)]


def _links(pages: list[tuple[str, str]]) -> list[Element]:
    return [part for title, url in pages[:2] for part in (el.space("  "), el.link(title, url))]
