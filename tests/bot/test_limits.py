"""The table of limits: what Slack would refuse is seen before it is sent, at the very edge."""

from __future__ import annotations

import pytest

from bot.slack import limits
from bot.slack.limits import problems

PLAIN = {"type": "plain_text", "text": "x"}
BUTTON = {"type": "button", "text": PLAIN, "action_id": "a"}


def section(size: int) -> dict:
    """Return a section with so many characters."""
    return {"type": "section", "text": {"type": "plain_text", "text": "x" * size}}


def header(size: int) -> dict:
    """Return a header with so many characters."""
    return {"type": "header", "text": {"type": "plain_text", "text": "x" * size}}


def context(size: int) -> dict:
    """Return a context block with so many elements."""
    return {"type": "context", "elements": [PLAIN] * size}


def actions(size: int) -> dict:
    """Return so many buttons."""
    return {"type": "actions", "elements": [BUTTON] * size}


def button(**fields: object) -> dict:
    """Return one button with some fields of its own."""
    return {"type": "actions", "elements": [BUTTON | fields]}


def label(size: int) -> dict:
    """Return a button with so long a label."""
    return button(text={"type": "plain_text", "text": "x" * size})


def table(rows: int, columns: int = 1, size: int = 1) -> dict:
    """Return a table of so many cells of so many characters."""
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "x" * size}] * columns] * rows}


def rich(size: int) -> dict:
    """Return rich text of so many characters."""
    parts = [{"type": "text", "text": "x" * size}]
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": parts}]}


@pytest.mark.parametrize(
    ("make", "most"),
    [
        (section, limits.SECTION_TEXT),
        (header, limits.HEADER_TEXT),
        (context, limits.CONTEXT_ELEMENTS),
        (actions, limits.ACTIONS_ELEMENTS),
        (label, limits.BUTTON_TEXT),
        (lambda size: button(value="x" * size), limits.BUTTON_VALUE),
        (lambda size: button(url="x" * size), limits.URL),
        (lambda size: button(action_id="x" * size), limits.ID),
        (table, limits.TABLE_ROWS),
        (lambda size: table(1, size), limits.TABLE_COLUMNS),
        (rich, limits.CUMULATIVE_TEXT),
    ],
)
def test_each_limit_is_held_to_the_last_character(make, most) -> None:
    """As much as Slack takes is fine, one more is not, and nothing at all is not either."""
    assert problems({"text": "x", "blocks": [make(most)]}) == []
    assert problems({"text": "x", "blocks": [make(most + 1)]})
    if make in (section, header, context, actions, rich):
        assert problems({"text": "x", "blocks": [make(0)]})


@pytest.mark.parametrize(
    "blocks",
    [
        [table(1), table(1)],  # one table a message
        [table(0)],
        [table(1, 1, 0)],
        [table(11, 10, 100)],  # more than a table's text in all
        [context(1)] * 51,
        [button(url="https://x/" + "y" * 2_500)] * 6,  # little to read, but a long JSON
    ],
)
def test_what_only_the_whole_message_shows(blocks) -> None:
    """Sums over a message count as well as single blocks."""
    assert problems({"text": "x", "blocks": blocks})


@pytest.mark.parametrize(("size", "taken"), [(0, False), (1, True), (limits.TEXT, True), (limits.TEXT + 1, False)])
def test_the_notification_text_has_a_length_of_its_own(size, taken) -> None:
    """Editing refuses what posting takes, so the smaller limit holds for both."""
    assert (problems({"text": "x" * size, "blocks": []}) == []) is taken
