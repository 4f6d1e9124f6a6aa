"""Delivery: messages to Slack, each exactly once in effect.

Posting has no idempotency key, so every message carries our id in its metadata. When a call's outcome is not
known (the connection broke after Slack may have applied it), the channel is searched for that id before anything
is posted again. Refused layouts are retried with plainer ones: a formatting error must never lose the result.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from bot.errors import DeliveryError
from bot.slack.elements import Message, rich, section
from bot.slack.elements import text as literal
from bot.slack.limits import problems
from bot.slack.refusals import FAILURES, VIEW_GONE_ERRORS, LayoutError, Tries, broke_off, certainly_refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from slack_sdk.web.async_client import AsyncWebClient
    from slack_sdk.web.async_slack_response import AsyncSlackResponse

EVENT_TYPE = "compare_traces"
# How far back a message is searched for that may have been posted: a day, in pages of Slack's recommended size.
# (A channel comes newest first; a thread oldest first, so that all of its pages count.)
LOOK_BACK_S = 24 * 3600
PAGE = 200
PAGES = 5
# The text of a message shows where its blocks do not: no links made of addresses in it, no names turned into
# mentions. Said each time, because chat.update, unlike chat.postMessage, looks for both unless told not to.
PLAIN = {"parse": "none", "link_names": False}
FEW = 10  # messages to look through for one: Slack gives the root of a thread besides
BURST = 4  # messages a channel takes at once before the pace of one per second begins
Answer = TypeVar("Answer")

log = structlog.get_logger()


class Delivery:
    """Sends messages through one Slack client.

    `patience_s`: for how long in all (s) a call may be put off by rate limits.
    """

    def __init__(self, client: AsyncWebClient, sleep: Callable[[float], Awaitable[None]], patience_s: float) -> None:
        self._client = client
        self._sleep = sleep
        self._patience_s = patience_s
        self._pace: dict[str, Pace] = defaultdict(Pace)

    async def post(self, channel: str, message: Message, *, message_id: str, thread_ts: str | None = None) -> str:
        """Post a message and return its ts; raises `DeliveryError` when Slack will not take it."""
        metadata = {"event_type": EVENT_TYPE, "event_payload": {"id": message_id}}
        for blocks in layouts(message):
            try:
                return await self._post_once(channel, message.text, blocks, metadata, thread_ts)
            except LayoutError as error:
                log.warning("layout refused", channel=channel, reason=str(error))
        raise DeliveryError("slack-refused", detail="no layout was accepted")

    async def _post_once(
        self, channel: str, text: str, blocks: list[dict[str, Any]], metadata: dict[str, Any], thread_ts: str | None
    ) -> str:
        arguments: dict[str, Any] = {
            "channel": channel, "text": text, "blocks": blocks, "metadata": metadata,
            "unfurl_links": False, "unfurl_media": False, **PLAIN,
        }  # fmt: skip
        if thread_ts:
            arguments["thread_ts"] = thread_ts

        async def posted() -> str | None:
            return await self.find(channel, metadata["event_payload"]["id"], thread_ts)

        return await self.once(channel, partial(self._client.chat_postMessage, **arguments), posted)

    async def once(
        self,
        channel: str,
        call: Callable[[], Awaitable[AsyncSlackResponse]],
        shown: Callable[[], Awaitable[str | None]],
    ) -> str:
        """Make a call that shows something in a channel, at Slack's pace, and return the ts of what it shows.

        `shown` looks for it, where an earlier try may have been applied although its answer was lost.
        """
        tries = Tries(self._patience_s)
        while tries:
            await self._turn(channel)
            try:
                response = await call()
                return str(response.get("ts") or "")
            except FAILURES as error:
                await self._sleep(tries.pause_s(error))
                if not certainly_refused(error):
                    found = await shown()
                    if found:
                        return found
        raise DeliveryError("slack-unreachable", detail="it did not take a message after several tries")

    async def update(self, channel: str, ts: str, message: Message) -> bool:
        """Replace a message; repeating that is harmless. Returns False when it is gone or cannot be edited any more."""
        for blocks in layouts(message):
            try:
                await self.call(
                    self._client.chat_update,
                    channel=channel, ts=ts, text=message.text, blocks=blocks, **PLAIN,
                )  # fmt: skip
            except DeliveryError as error:
                if error.code == "message-gone":
                    return False
                raise
            except LayoutError as error:
                log.warning("layout refused", channel=channel, reason=str(error))
            else:
                return True
        raise DeliveryError("slack-refused", detail="no layout was accepted")

    async def relabel(self, channel: str, ts: str, text: str, blocks: list[dict[str, Any]]) -> None:
        """Replace a message by itself with other words on its buttons; where Slack will not, it stays as it is."""
        try:
            await self.call(self._client.chat_update, channel=channel, ts=ts, text=text, blocks=blocks, **PLAIN)
        except (DeliveryError, LayoutError) as error:
            log.warning("cannot relabel", channel=channel, reason=str(error))

    async def remove(self, channel: str, ts: str) -> bool:
        """Delete a message; returns whether it is gone."""
        try:
            await self.call(self._client.chat_delete, channel=channel, ts=ts)
        except DeliveryError as error:
            return error.fields.get("detail") == "message_not_found"
        except LayoutError:
            return False
        return True

    async def whisper(
        self, channel: str, user: str, message: Message, thread_ts: str | None = None, *, copy: Message | None = None
    ) -> None:
        """Post a message that only one person sees; raises `DeliveryError`.

        Whether it was shown cannot be looked up. When the connection breaks it is said once more, as `copy`; without
        one it counts as said.
        """
        arguments: dict[str, Any] = {"channel": channel, "user": user, **PLAIN}
        if thread_ts:
            arguments["thread_ts"] = thread_ts
        for blocks in layouts(message):
            call = partial(self._client.chat_postEphemeral, text=message.text, blocks=blocks, **arguments)
            try:
                heard = await self._heard(call)
            except LayoutError as error:
                log.warning("layout refused", channel=channel, reason=str(error))
                continue
            if not heard and copy is not None:
                await self.whisper(channel, user, copy, thread_ts)
            return
        raise DeliveryError("slack-refused", detail="no layout was accepted")

    async def _heard(self, call: Callable[[], Awaitable[AsyncSlackResponse]]) -> bool:
        """Make a call that must not be repeated once applied; False when nobody knows whether it was."""
        tries = Tries(self._patience_s)
        while tries:
            try:
                await call()
            except FAILURES as error:
                if broke_off(error):
                    log.warning("connection broke", error=type(error).__name__)
                    return False
                await self._sleep(tries.pause_s(error))
            else:
                return True
        raise DeliveryError("slack-unreachable", detail="it did not take a message after several tries")

    async def permalink(self, channel: str, ts: str) -> str | None:
        """Return the address of a message, or None when Slack does not say."""
        try:
            response = await self.call(self._client.chat_getPermalink, channel=channel, message_ts=ts)
        except (DeliveryError, LayoutError):
            return None
        return str(response.get("permalink") or "") or None

    async def find(self, channel: str, message_id: str, thread_ts: str | None) -> str | None:
        """Look for a message that carries our id; None when it is not there or cannot be looked for."""
        try:
            return await self._search(channel, thread_ts, lambda message: _our_id(message) == message_id)
        except (DeliveryError, LayoutError) as error:
            log.warning("cannot look for a message", channel=channel, reason=str(error))
            return None

    async def find_file(self, channel: str, name: str, thread_ts: str) -> str | None:
        """Look in a thread for the message that shares a file; raises `DeliveryError` when it cannot be read."""
        return await self._search(
            channel, thread_ts, lambda message: any(its.get("name") == name for its in message.get("files") or ())
        )

    async def _search(
        self, channel: str, thread_ts: str | None, wanted: Callable[[dict[str, Any]], bool]
    ) -> str | None:
        arguments: dict[str, Any] = {
            "channel": channel, "include_all_metadata": True, "limit": PAGE,
            "oldest": f"{time.time() - LOOK_BACK_S:.6f}",
        }  # fmt: skip
        method: Callable[..., Awaitable[AsyncSlackResponse]] = self._client.conversations_history
        if thread_ts:
            method, arguments["ts"] = self._client.conversations_replies, thread_ts
        for _ in range(PAGES):
            response = await self.call(method, **arguments)
            for message in response.get("messages") or []:
                if wanted(message):
                    return str(message["ts"])
            cursor = (response.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None
            arguments["cursor"] = cursor
        return None

    async def message(self, channel: str, ts: str) -> dict[str, Any] | None:
        """Read one message, a root or a reply; None when it is not there. Raises `DeliveryError`."""
        # A history holds root messages alone; a reply is found through its thread, for which its own ts will do.
        exactly = {"channel": channel, "latest": ts, "oldest": ts, "inclusive": True, "limit": FEW}
        for method, more in (
            (self._client.conversations_history, {}), (self._client.conversations_replies, {"ts": ts}),
        ):  # fmt: skip
            try:
                response = await self.call(method, **exactly, **more)
            except DeliveryError as error:
                if error.code == "message-gone":
                    return None
                raise
            for message in response.get("messages") or []:
                if message.get("ts") == ts:
                    return dict(message)
        return None

    async def open_form(self, trigger_id: str, view: dict[str, Any]) -> None:
        """Open a modal for the person whose action gave `trigger_id` (good for three seconds, and once)."""
        try:
            await self._show(self._client.views_open, trigger_id=trigger_id, view=view)
        except DeliveryError as error:
            reason = error.fields.get("detail")
            if reason == "expired_trigger_id":
                raise DeliveryError("too-late") from None
            if reason != "exchanged_trigger_id":  # an earlier try opened it, its answer was lost
                raise

    async def publish_home(self, user: str, view: dict[str, Any]) -> None:
        """Show somebody their Home tab."""
        await self._show(self._client.views_publish, user_id=user, view=view)

    async def change_view(self, view_id: str, hash_: str, view: dict[str, Any]) -> None:
        """Show another page of an open modal; does nothing when it was closed or has changed in the meantime."""
        try:
            await self._show(self._client.views_update, view_id=view_id, hash=hash_, view=view)
        except DeliveryError as error:
            if error.fields.get("detail") not in VIEW_GONE_ERRORS:
                raise

    async def _show(self, method: Callable[..., Awaitable[AsyncSlackResponse]], **arguments: Any) -> None:
        """Call a method that shows a view, which has no plainer layout; raises `DeliveryError`."""
        try:
            await self.call(method, **arguments)
        except LayoutError as error:
            raise DeliveryError("slack-refused", detail=str(error)) from None

    async def call(self, method: Callable[..., Awaitable[Answer]], **arguments: Any) -> Answer:
        """Call a method that is safe to repeat; raises `DeliveryError` and `LayoutError`."""
        tries = Tries(self._patience_s)
        while tries:
            try:
                return await method(**arguments)
            except FAILURES as error:
                await self._sleep(tries.pause_s(error))
        raise DeliveryError("slack-unreachable", detail="it did not answer after several tries")

    async def _turn(self, channel: str) -> None:
        """Wait until the channel may get another message (about one per second, with a short burst)."""
        await self._sleep(self._pace[channel].wait_s(asyncio.get_running_loop().time()))


class Pace:
    """A token bucket for one channel."""

    def __init__(self) -> None:
        self._next = -math.inf

    def wait_s(self, now: float) -> float:
        """Take a turn and return how long to wait for it (s)."""
        self._next = max(self._next, now - BURST) + 1.0
        return max(0.0, self._next - now)


def layouts(message: Message) -> Iterator[list[dict[str, Any]]]:
    """Yield the blocks of a message, then plainer ones, those beyond Slack's limits left out."""
    for blocks in (message.blocks, message.plain_blocks):
        if blocks and not problems({"text": message.text, "blocks": blocks}):
            yield blocks
    yield [rich(section(literal(message.text, width=2_000)))]
    yield []


def _our_id(message: dict[str, Any]) -> str | None:
    """Return the id that we gave a message; None when it is not ours."""
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    return (metadata.get("event_payload") or {}).get("id")
