"""What every part of the workspace shares: channels and their messages, one clock, and word of what changed."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.playground.workspace.app import App

Message = dict[str, Any]
Arguments = dict[str, Any]  # of a call of the Web API
Answer = dict[str, Any]  # to it, without its "ok"


class SlackError(Exception):
    """An error that Slack would answer: its text is Slack's code."""


class Base:
    """Channels, the messages in them, the app, and those who watch."""

    def __init__(self, app: App, channels: dict[str, str]) -> None:
        self.app = app
        self.channels = channels  # id -> name
        self.absent: set[str] = set()  # channels to which nobody invited the app
        self.messages: dict[str, list[Message]] = {channel: [] for channel in channels}
        self.base_url = ""
        self._last_us: dict[str, int] = defaultdict(int)  # whole microseconds: sums of fractions would collide
        self._watchers: set[asyncio.Event] = set()

    def _channel(self, arguments: Arguments, *, member: bool = True) -> str:
        """Return the channel of a call; raises `SlackError` where it is none, or the app is no `member` of it."""
        channel = str(arguments.get("channel") or "")
        if channel not in self.channels:
            raise SlackError("channel_not_found")
        if member and channel in self.absent:
            raise SlackError("not_in_channel")
        return channel

    def _ts(self, channel: str) -> str:
        """Return the time, which is a message's id in its channel: no two are the same."""
        now = max(time.time_ns() // 1_000, self._last_us[channel] + 1)
        self._last_us[channel] = now
        return f"{now // 1_000_000}.{now % 1_000_000:06d}"

    def find(self, channel: str, ts: str) -> Message:
        """Return a message by its ts."""
        for message in self.messages[channel]:
            if message["ts"] == ts:
                return message
        raise SlackError("message_not_found")

    def _changed(self) -> None:
        for watcher in self._watchers:
            watcher.set()

    async def next_change(self, watcher: asyncio.Event, timeout_s: float) -> bool:
        """Wait until something changes; returns False when nothing did within `timeout_s`."""
        self._watchers.add(watcher)
        try:
            async with asyncio.timeout(timeout_s):
                await watcher.wait()
        except TimeoutError:
            return False
        watcher.clear()
        return True

    def forget(self, watcher: asyncio.Event) -> None:
        """Stop telling a watcher."""
        self._watchers.discard(watcher)
