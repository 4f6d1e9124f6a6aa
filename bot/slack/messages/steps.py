"""What to do next, numbered, each step with what to open. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.links import trace_url
from bot.slack import elements as el
from bot.slack.elements import Message
from bot.slack.text import escaped

if TYPE_CHECKING:
    from analysis import Comparison
    from bot.slack.messages.asked import Asked


def steps(comparison: Comparison, asked: Asked) -> Message:
    """Return the suggested next steps."""
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
