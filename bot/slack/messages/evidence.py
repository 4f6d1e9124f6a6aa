"""What logs and metrics say, in one message under the answer. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.format import duration
from bot.evidence.sparkline import sparkline
from bot.finding.trend import percent
from bot.links import Place, service_links
from bot.requests.wording import moment
from bot.slack import elements as el
from bot.slack.elements import Message
from bot.slack.text import clean, escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis import Comparison
    from bot.evidence.facts import Evidence, MetricFact, Silence
    from bot.evidence.weighing import Weight
    from bot.slack.elements import Element
    from bot.slack.messages.asked import Asked

TEXT = 2_500
TITLE = "What logs and metrics say"
NOTHING = "nothing about the named causes"
SILENT = {
    "timeout": "did not answer in time",
    "unreachable": "cannot be reached",
    "unauthorised": "refuses my credentials",
    "no-tenant": "wants a tenant",
    "wrong-path": "does not know what I ask for",
    "rate-limited": "asks me to slow down",
    "too-large": "answered with more than I read",
    "redirected": "sends me on to another host",
}
BROKEN = "gave no answer that I can use"


def evidence(its: Evidence, weight: Weight | None, comparison: Comparison, asked: Asked) -> Message:
    """Return the message about evidence, and about what it does to the confidence."""
    today = comparison.suspect.started_at_ns // 10**9
    parts: list[Element] = [el.section(el.text(TITLE, bold=True))]
    said: list[str] = []
    for fact in its.metrics:
        where, words = f"{fact.operation} in {fact.service}", _metric_words(fact, today)
        links = _links(_pages(asked, comparison, fact.service, ("dashboard", "metric")))
        parts.append(el.bullets([[el.text(where, code=True), el.space("  "), el.text(words, width=400), *links]]))
        parts.append(el.preformatted(f"{sparkline(fact.trend.points)}  {_span(fact, today)}"))
        said.append(f"{where}: {words} ({_span(fact, today)})")
    for log in its.logs:
        links = _links(_pages(asked, comparison, log.service, ("log",)))
        lead = f"New {log.level} in {log.service}"
        shown = [el.text(f"{lead}:"), el.space(" "), el.text(log.sample, code=True, width=240)]
        parts.append(el.bullets([[*shown, el.space("  "), el.text(log.words()), *links]]))
        said.append(f"{lead}: {clean(log.sample, 240)} ({log.words()})")
    for change in its.changes:
        parts.append(el.bullets([[el.text(change.words(today), width=300)]]))
        said.append(change.words(today))
    for quiet in _nothing_new(its):
        parts.append(el.bullets([[el.text(quiet)]]))
        said.append(quiet)
    if not its.found:
        parts.append(el.section(el.text(NOTHING)))
        said.append(NOTHING)
    if weight is not None:
        line = confidence_line(weight)
        parts.append(el.section(el.space("\n"), el.text(line, width=600)))
        said.append(line)
    silent = silence(its.silent)
    names = dict.fromkeys(look.source for look in its.looks)
    names |= dict.fromkeys(fact.source for fact in its.metrics) | dict.fromkeys(fact.source for fact in its.changes)
    small = [f"from {' and '.join(names)}" if names else "", *silent]
    said += silent
    blocks = [el.rich(*parts)]
    if any(small):
        blocks.append(el.context(*small))
    return Message(text=escaped(f"{TITLE}: {'. '.join(said)}.", TEXT), blocks=blocks)


def confidence_line(weight: Weight) -> str:
    """Say what evidence does to the confidence, and why."""
    why = "; ".join(weight.reasons[:3])
    if weight.changed:
        return f"Confidence: {weight.after.value}, was {weight.before.value}: {why}"
    return f"Confidence stays {weight.after.value}: {why}"


def silence(silent: Sequence[Silence]) -> list[str]:
    """Say which sources said nothing, and why."""
    return [f"{its.source} {SILENT.get(its.code, BROKEN)}" for its in silent]


def _nothing_new(its: Evidence) -> list[str]:
    """Say of which logs nothing is new: the absence of errors is an answer too."""
    new = {fact.source for fact in its.logs}
    return [
        f"No new errors or warnings in {look.source} ({look.suspect:,} around B, {look.baseline:,} around A)"
        for look in its.looks
        if look.source not in new
    ]


def _metric_words(fact: MetricFact, today: int) -> str:
    counted = fact.counted()
    return f"{fact.trend.words(today)}{f'. {counted}' if counted else ''}"


def _span(fact: MetricFact, today: int) -> str:
    """Say in words what the line of blocks shows."""
    points = fact.trend.points
    values = [value for _, value in points]
    times = f"{moment(points[0][0], today)} to {moment(points[-1][0], today)}"
    if fact.trend.failing:
        return f"share that failed, {times}: {percent(min(values))} to {percent(max(values))}"
    return f"p95, {times}: {duration(round(min(values)))} to {duration(round(max(values)))}"


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
