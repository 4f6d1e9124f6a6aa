"""Files in a thread: uploaded first, then shared in one message, once in effect.

    an address for each (getUploadURLExternal) -> its bytes go there -> all shared at once (completeUploadExternal)

Sharing has no idempotency key, so a file's name is one: after a lost answer, or a restart, the thread is looked
through for it before anything is shared again. An answer is complete without its files: what goes wrong here is
written to the log, once, and ends in False.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING

import aiohttp
import msgspec
import structlog

from bot.errors import BotError, DeliveryError
from bot.slack.limits import ALT_TEXT
from bot.slack.refusals import LayoutError
from bot.slack.workspaces import team_at_hand

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.elements import File
    from bot.slack.post import Delivery

NO_RIGHT = ("missing_scope", "not_allowed_token_type", "file_uploads_disabled")
ASK_AGAIN_S = 3600.0  # a right that was missing is asked for again after this time: apps are installed anew
TIMEOUT = aiohttp.ClientTimeout(total=30)
LOOKS_S = (0.5, 1.5, 4.0)  # Slack shares a file some time after it says that it did

log = structlog.get_logger()


class Files:
    """Shares files through one Slack client, where it has the right to."""

    def __init__(
        self, client: AsyncWebClient, delivery: Delivery, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._client = client
        self._delivery = delivery
        self._sleep = sleep
        self._clock = clock
        self._refused_until: dict[str, float] = {}  # by workspace

    def may_share(self) -> bool:
        """Tell whether it is worth making a file: not while the right to share it is known to be missing."""
        return self._clock() >= self._refused_until.get(team_at_hand(), 0.0)

    async def share(self, channel: str, thread_ts: str, files: Sequence[File], comment: str, *, first: bool) -> bool:
        """Put files under one `comment` (ours, or escaped) into a thread; returns whether they are there.

        `first` is False where an earlier try may have shared them already.
        """
        if not self.may_share():
            return False
        try:
            if not first and await self._delivery.find_file(channel, files[0].name, thread_ts):
                return True
            await self._share(channel, thread_ts, files, comment)
            described = any(file.alt_text for file in files)
            if described and not await self._arrived(channel, thread_ts, files[0].name):
                # With a description Slack has been seen to say "ok" and to share nothing.
                plain = [msgspec.structs.replace(file, alt_text="") for file in files]
                await self._share(channel, thread_ts, plain, comment)
        except (BotError, LayoutError) as error:
            reason = str(error.fields.get("detail")) if isinstance(error, BotError) else str(error)
            if reason in NO_RIGHT:
                self._refused_until[team_at_hand()] = self._clock() + ASK_AGAIN_S
            log.warning("file not shared", channel=channel, file=files[0].name, reason=reason)
            return False
        return True

    async def _share(self, channel: str, thread_ts: str, files: Sequence[File], comment: str) -> None:
        its: list[dict[str, str | None]] = [
            {"id": await self._delivery.call(self._upload, file=file), "title": file.title}
            for file in files
        ]  # fmt: skip

        async def shared() -> str | None:
            return await self._delivery.find_file(channel, files[0].name, thread_ts)

        share = partial(
            self._client.files_completeUploadExternal,
            files=its, channel_id=channel, thread_ts=thread_ts, initial_comment=comment,
        )  # fmt: skip
        await self._delivery.once(channel, share, shared)

    async def _upload(self, file: File) -> str:
        """Send the bytes to an address of their own; another try gets another address, and nobody sees the first."""
        alt_text = {"alt_txt": file.alt_text[:ALT_TEXT]} if file.alt_text else {}
        address = await self._client.files_getUploadURLExternal(filename=file.name, length=len(file.body), **alt_text)
        async with (
            aiohttp.ClientSession(timeout=TIMEOUT, trust_env=True) as session,
            session.post(str(address["upload_url"]), data=file.body) as response,
        ):
            response.raise_for_status()
        return str(address["file_id"])

    async def _arrived(self, channel: str, thread_ts: str, name: str) -> bool:
        """Tell whether a file is in the thread; where that cannot be read, Slack is believed."""
        for wait_s in LOOKS_S:
            await self._sleep(wait_s)
            try:
                if await self._delivery.find_file(channel, name, thread_ts):
                    return True
            except (DeliveryError, LayoutError):
                return True
        return False
