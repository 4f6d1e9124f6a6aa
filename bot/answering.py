"""The answer in Slack: the announcement becomes the verdict, the rest goes into the thread.

    verdict (in place of the announcement) -> table -> picture -> what else changed -> next steps

The verdict is the answer. When Slack takes it and refuses something under it, the answer stands, and the person who
asked is told what is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.errors import BotError, DeliveryError
from bot.slack import messages

if TYPE_CHECKING:
    from analysis import Comparison
    from bot.analysis_child import Answer
    from bot.ledger import Ledger
    from bot.request import Origin
    from bot.runner import AnalysisRunner
    from bot.slack.elements import Message
    from bot.slack.files import Files
    from bot.slack.post import Delivery

DRAWING_S = 10.0  # a picture that takes longer is not worth the wait

log = structlog.get_logger()


class Answering:
    """Puts answers into channels."""

    def __init__(self, runner: AnalysisRunner, ledger: Ledger, delivery: Delivery, files: Files) -> None:
        self._runner = runner
        self._ledger = ledger
        self._delivery = delivery
        self._files = files

    async def publish(
        self, key: str, origin: Origin, root_ts: str, answer: Answer, asked: messages.Asked, *, first: bool
    ) -> None:
        """Answer request `key`; `first` is False where an earlier attempt may have posted some of it.

        Raises `DeliveryError`: "incomplete" when the verdict stands and something under it is missing.
        """
        comparison = answer.comparison
        root_ts = await self._verdict(key, origin, root_ts, messages.verdict(comparison, asked), first=first)
        thread_ts = origin.thread_ts or root_ts
        refused: BotError | None = None
        for number, reply in enumerate(messages.thread(comparison, answer.table, asked), 1):
            try:
                await self._reply(f"{key}-{number}", origin.channel, thread_ts, reply, first=first)
            except BotError as error:
                log.warning("reply refused", key=key, number=number, error=str(error))
                refused = error
            if number == 1:  # the picture belongs to the table
                await self._picture(key, origin.channel, thread_ts, comparison, first=first)
        if refused is not None:
            raise DeliveryError("incomplete", detail=refused.fields.get("detail", refused.code))

    async def _verdict(self, key: str, origin: Origin, root_ts: str, root: Message, *, first: bool) -> str:
        """Turn the announcement into the verdict, or post it where there was none; returns the ts of its message."""
        if root_ts and await self._delivery.update(origin.channel, root_ts, root):
            return root_ts
        # Somebody deleted the announcement: the answer was asked for all the same.
        message_id = f"{key}-again" if root_ts else key
        found = None if first else await self._delivery.find(origin.channel, message_id, origin.thread_ts)
        ts = found or await self._delivery.post(origin.channel, root, message_id=message_id, thread_ts=origin.thread_ts)
        try:
            await self._ledger.posted(key, ts)
        except Exception:
            log.exception("cannot write the ledger")
        return ts

    async def _reply(self, reply_id: str, channel: str, thread_ts: str, reply: Message, *, first: bool) -> None:
        if first or not await self._delivery.find(channel, reply_id, thread_ts):
            await self._delivery.post(channel, reply, message_id=reply_id, thread_ts=thread_ts)

    async def _picture(self, key: str, channel: str, thread_ts: str, comparison: Comparison, *, first: bool) -> None:
        """Draw both requests and share the picture, where that is worth it and allowed."""
        if not messages.has_picture(comparison) or not self._files.may_share():
            return
        try:
            body = await self._runner.draw(comparison, deadline_s=DRAWING_S)
        except BotError as error:
            log.warning("no picture", key=key, error=str(error))
            return
        file = messages.picture(comparison, key, body)
        await self._files.share(channel, thread_ts, [file], messages.caption(comparison), first=first)
