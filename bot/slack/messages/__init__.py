"""What the answer looks like: a `Comparison` becomes messages, one noun per file. Pure.

root.py      the announcement and the verdict: one line each for what, why and how sure
spans.py     the table of the spans that changed most        | the thread
picture.py   both requests on one time axis, and that in words    |
changes.py   what else changed, what weakens the answer      |
steps.py     what to do next                                 |
foot.py      was it useful, and the full report                  |
details.py   every cause, its evidence and its spans, in a modal
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.slack.messages.asked import Asked
from bot.slack.messages.changes import changes
from bot.slack.messages.foot import foot
from bot.slack.messages.picture import caption, has_picture, picture
from bot.slack.messages.root import NO_CAUSE, SWAP, TYPICAL, comparing, notification, verdict
from bot.slack.messages.spans import spans
from bot.slack.messages.steps import steps

if TYPE_CHECKING:
    from analysis import Comparison
    from analysis.report import Table
    from bot.slack.elements import Message

__all__ = [
    "SWAP", "TYPICAL", "Asked", "caption", "comparing", "has_picture", "notification", "picture", "thread", "verdict",
]  # fmt: skip


def thread(comparison: Comparison, rows: Table, asked: Asked) -> list[Message]:
    """Return the replies in the thread: the spans (`rows`), what else changed, what to do next."""
    said = 1 if comparison.verdict.kind in NO_CAUSE else 0  # the root message gives the first step instead of a cause
    below = foot(asked)
    if len(comparison.next_steps) > said:
        others = changes(comparison)
        return [spans(comparison, rows, asked), *([others] if others else []), steps(comparison, asked, below)]
    others = changes(comparison, below)
    return [spans(comparison, rows, asked), others] if others else [spans(comparison, rows, asked, below)]
