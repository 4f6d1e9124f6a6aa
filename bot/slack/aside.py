"""What one person alone sees, by whatever way works.

    the address that their command or click came with --> else a message in the channel that only they see

Such messages cannot be looked up, so when a connection breaks after Slack was told, nobody knows whether it heard.
Then it is told once more, by the other way, and the copy says what it is: at most two, never none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import structlog

from bot.slack import elements as el
from bot.slack.respond import Heard
from bot.slack.workspaces import acting_in

if TYPE_CHECKING:
    from bot.requests.request import Origin
    from bot.slack.elements import Block, Message
    from bot.slack.post import Delivery
    from bot.slack.respond import Responder

COPY = "You may see this twice: Slack did not confirm the first one."

log = structlog.get_logger()


class Aside:
    """Tells people things."""

    def __init__(self, delivery: Delivery, responder: Responder) -> None:
        self._delivery = delivery
        self._responder = responder

    async def tell(self, origin: Origin, message: Message) -> None:
        """Say something to the person who asked alone; raises `DeliveryError` where no way works."""
        acting_in(origin.team)
        if origin.watched:
            log.info("nobody asked", channel=origin.channel, sentence=message.text)
            return
        heard = await self.answer(origin.response_url, message)
        if heard is Heard.YES:
            return
        unsure = heard is Heard.PERHAPS
        await self._delivery.whisper(
            origin.channel, origin.user, as_copy(message) if unsure else message, origin.aside_ts,
            copy=None if unsure else as_copy(message),
        )  # fmt: skip

    async def answer(self, url: str | None, message: Message) -> Heard:
        """Say something through an address alone."""
        return await self._responder.respond(url, message) if url else Heard.NO

    async def take_away(self, url: str | None) -> None:
        """Delete the message, seen by one person alone, whose button gave the address."""
        if url and await self._responder.take_away(url) is not Heard.YES:
            log.warning("cannot take a private message away")


def as_copy(message: Message) -> Message:
    """Return a message that says that it may be a copy."""

    def marked(blocks: list[Block] | None) -> list[Block] | None:
        return [*blocks, el.context(COPY)] if blocks else blocks

    return msgspec.structs.replace(
        message, blocks=marked(message.blocks) or [], plain_blocks=marked(message.plain_blocks)
    )
