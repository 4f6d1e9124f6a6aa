"""An answer that one person alone sees: all of it in one message, so that it can be dismissed or posted whole. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from bot.slack import elements as el
from bot.slack.elements import Message
from bot.slack.limits import TEXT, problems
from bot.slack.messages.root import verdict
from bot.slack.messages.thread import thread

if TYPE_CHECKING:
    from bot.analysing.child import Answer
    from bot.slack.elements import Block
    from bot.slack.messages.asked import Asked

POST, DISMISS = "post_to_channel", "dismiss"


def private(answer: Answer, asked: Asked) -> Message:
    """Return the verdict with as much of its thread as one message holds, and what to do with it."""
    replies = thread(answer.comparison, answer.table, msgspec.structs.replace(asked, key=""))
    return one_message(verdict(answer.comparison, asked), replies, asked, "Details shows the rest.")


def one_message(root: Message, replies: list[Message], asked: Asked, rest: str) -> Message:
    """Put a verdict and as much of its thread into one message as it holds; `rest`: where the rest is found."""
    row = el.actions(el.button("Post to channel", POST, asked.key), el.button("Dismiss", DISMISS, asked.key))
    below = el.context(rest)
    whole = [_joined(root, replies[:number], replies, below, row) for number in range(len(replies), -1, -1)]
    bare = Message(text=root.text, blocks=[block for block in root.blocks if block["type"] != "context"])
    whole.append(_joined(bare, [], replies, below, row))  # without the small print, where even that is too much
    fitting = [blocks for blocks in whole if not problems({"text": root.text, "blocks": blocks})] or whole[-1:]
    return Message(text=_said([root, *replies]), blocks=fitting[0], plain_blocks=fitting[-1])


def _said(parts: list[Message]) -> str:
    """Say as much of an answer in words as the text of one message holds."""
    text = parts[0].text
    for part in parts[1:]:
        if len(text) + 1 + len(part.text) <= TEXT:
            text += f" {part.text}"
    return text


def _joined(root: Message, shown: list[Message], replies: list[Message], below: Block, row: list[Block]) -> list[Block]:
    rest = [below] if len(shown) < len(replies) else []
    return [*root.blocks, *(block for reply in shown for block in reply.blocks), *rest, *row]
