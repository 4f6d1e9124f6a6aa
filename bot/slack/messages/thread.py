"""The replies under a verdict, in their order. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.slack.messages.changes import changes
from bot.slack.messages.foot import foot
from bot.slack.messages.root import NO_CAUSE
from bot.slack.messages.spans import spans
from bot.slack.messages.steps import steps

if TYPE_CHECKING:
    from analysis import Comparison
    from analysis.report import Table
    from bot.slack.elements import Message
    from bot.slack.messages.asked import Asked


def thread(comparison: Comparison, rows: Table, asked: Asked) -> list[Message]:
    """Return the replies in the thread: the spans (`rows`), what else changed, what to do next."""
    said = 1 if comparison.verdict.kind in NO_CAUSE else 0  # the root message gives the first step instead of a cause
    below = foot(asked)
    if len(comparison.next_steps) > said:
        others = changes(comparison)
        return [spans(comparison, rows, asked), *([others] if others else []), steps(comparison, asked, below)]
    others = changes(comparison, below)
    return [spans(comparison, rows, asked), others] if others else [spans(comparison, rows, asked, below)]
