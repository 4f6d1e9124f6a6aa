"""What else changed, and what weakens the answer. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.format import change, duration
from analysis.report import note_lines, other_changes
from bot.slack import elements as el
from bot.slack.elements import Message
from bot.slack.messages.root import NO_CAUSE
from bot.slack.text import escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis import Comparison
    from bot.slack.elements import Block, Element

OTHERS = 8
LATE_NS = 20_000_000  # less than this more work after the response is not worth a line


def changes(comparison: Comparison, foot: Sequence[Block] = ()) -> Message | None:
    """Return what else changed, above `foot`; None when nothing did and nothing is to be said about the data."""
    lines = other_changes(comparison)[:OTHERS]
    notes = note_lines(comparison)[:OTHERS]
    late = _work_after(comparison)
    if late and comparison.verdict.kind not in NO_CAUSE:
        lines.append(late)
    if not lines and not notes:
        return None
    parts: list[Element] = []
    told = []
    for heading, said in (("What else changed", lines), ("About the data", notes)):
        if said:
            parts += [el.section(el.text(heading, bold=True)), el.bullets([[el.text(line)] for line in said])]
            told.append(f"{heading}: {'; '.join(said)}")
    return Message(text=escaped(". ".join(told), 1_500), blocks=[el.rich(*parts), *foot])


def _work_after(comparison: Comparison) -> str:
    """Say how long work goes on after the response, when that changed."""
    response, completion = comparison.response_time, comparison.completion_time
    before, after = completion.baseline_ns - response.baseline_ns, completion.suspect_ns - response.suspect_ns
    if abs(after - before) < LATE_NS:
        return ""
    return f"work after the response: it goes on for {duration(before)} → {duration(after)} ({change(after - before)})"
