"""What stands under an answer: was it useful, and the full report. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.slack import elements as el

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.slack.elements import Block, Element
    from bot.slack.messages.asked import Asked
    from bot.state.results import Feedback

USEFUL, NOT_USEFUL, REPORT = "useful", "not_useful", "report"
LABELS = {USEFUL: "Useful", NOT_USEFUL: "Not useful"}


def foot(asked: Asked) -> list[Block]:
    """Return the buttons under the last message of an answer."""
    if not asked.key:
        return []
    votes = [el.button(label, action, asked.key) for action, label in LABELS.items()]
    return el.actions(*votes, el.button("Full report", REPORT, asked.key))


def with_counts(blocks: Sequence[Block], feedback: Feedback) -> list[Block]:
    """Return the blocks of a message with the counts on its buttons, everything else as it is."""
    counts = {USEFUL: feedback.useful, NOT_USEFUL: feedback.not_useful}
    return [
        {**block, "elements": [_counted(element, counts) for element in block["elements"]]}
        if block.get("type") == "actions"
        else block
        for block in blocks
    ]


def _counted(element: Element, counts: dict[str, int]) -> Element:
    action = element.get("action_id") or ""
    if action not in counts:
        return element
    number = counts[action]
    label = f"{LABELS[action]} ({number})" if number else LABELS[action]
    return {**element, "text": {"type": "plain_text", "text": label, "emoji": False}}
