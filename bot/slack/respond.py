"""Answers through a `response_url`: seen by one person, possible where the bot is no member of the channel."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp
import structlog

if TYPE_CHECKING:
    from bot.slack.elements import Message

TIMEOUT = aiohttp.ClientTimeout(total=10)

log = structlog.get_logger()


class Responder:
    """Posts to response URLs of Slack's own host (or of the configured API's host)."""

    def __init__(self, api_url: str) -> None:
        self._hosts = {"hooks.slack.com", urlsplit(api_url).netloc}
        self._session: aiohttp.ClientSession | None = None

    async def respond(self, url: str, message: Message) -> bool:
        """Post an ephemeral message; returns whether Slack took it."""
        if urlsplit(url).netloc not in self._hosts:
            return False  # a forged request must not make us post elsewhere
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=TIMEOUT)
        body = {"response_type": "ephemeral", "text": message.text, "blocks": message.blocks, "replace_original": False}
        try:
            async with self._session.post(url, json=body) as response:
                if response.status == 200:
                    return True
                log.warning("response url refused", status=response.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("response url failed", error=str(error)[:200])
        return False

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
