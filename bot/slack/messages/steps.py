"""What to do next, numbered, each step with what to open. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.links import Place, service_links, trace_url
from bot.slack import elements as el
from bot.slack.elements import Message
from bot.slack.limits import URL, problems
from bot.slack.text import escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis import Comparison
    from analysis.comparison import LinkTarget, NextStep
    from bot.slack.messages.asked import Asked


def steps(comparison: Comparison, asked: Asked, foot: Sequence[el.Block] = ()) -> Message:
    """Return the suggested next steps, above `foot`."""
    said = " ".join(f"{number}. {step.text}" for number, step in enumerate(comparison.next_steps, 1))
    text = escaped(f"Suggested next steps: {said}", 1_500)
    pages = [pages_of(step, comparison, asked) for step in comparison.next_steps]
    heading = el.section(el.text("Suggested next steps", bold=True))
    most = max(map(len, pages), default=0)
    while True:  # addresses are long: as many of them as a message has room for, the first of each step first
        items = [
            [el.text(step.text, width=400), *_links(its[:most])]
            for step, its in zip(comparison.next_steps, pages, strict=True)
        ]
        blocks = [el.rich(heading, el.bullets(items, "ordered")), *foot]
        if not most or not problems({"text": text, "blocks": blocks}):
            return Message(text=text, blocks=blocks)
        most -= 1


def _links(pages: list[tuple[str, str]]) -> list[el.Element]:
    between = ["  ", *[" · "] * len(pages)]
    return [
        part for gap, (title, url) in zip(between, pages, strict=False) for part in (el.space(gap), el.link(title, url))
    ]


def pages_of(step: NextStep, comparison: Comparison, asked: Asked) -> list[tuple[str, str]]:
    """Return (title, address) of what to open for a step: its span, then what is configured about its service."""
    found: dict[str, str] = {}
    for target in step.links:
        if target.kind == "span":
            source = asked.suspect_source if target.side == "suspect" else asked.baseline_source
            side = comparison.suspect if target.side == "suspect" else comparison.baseline
            found["open the span"] = (trace_url(source, side.trace_id, target.span_id) if source else None) or ""
    for target in step.links:
        found |= dict(service_links(asked.links, _place(target, step, comparison)))
    return [(title, url) for title, url in found.items() if url and len(url) <= URL]


def _place(target: LinkTarget, step: NextStep, comparison: Comparison) -> Place:
    side = comparison.suspect if target.side == "suspect" else comparison.baseline
    spans = [other.span_id for other in step.links if other.side == target.side and other.span_id]
    return Place(
        service=target.service, trace_id=side.trace_id, span_id=spans[0] if spans else "", start_ns=side.started_at_ns,
        end_ns=side.started_at_ns + side.completion_time_ns,
    )  # fmt: skip
