"""Answers through a `response_url`: seen by one person, possible where the bot is no member of the channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import structlog

from bot.slack.post import layouts

if TYPE_CHECKING:
    from bot.slack.elements import Message

TIMEOUT = aiohttp.ClientTimeout(total=10)

log = structlog.get_logger()


SLACK_DOMAINS = (".slack.com", ".slack-gov.com")
SPENT = (404, 410)  # the address was used up or has expired


class Responder:
    """Posts to response URLs of Slack's own hosts (or of the configured API's host)."""

    def __init__(self, api_url: str) -> None:
        self._api_host = urlsplit(api_url).netloc
        self._session: aiohttp.ClientSession | None = None

    async def respond(self, url: str, message: Message) -> bool:
        """Post an ephemeral message; returns whether Slack took it."""
        if not self._is_slack(url):
            return False  # a forged request must not make us post elsewhere
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=TIMEOUT, trust_env=True)
        body: dict[str, Any] = {"response_type": "ephemeral", "text": message.text, "replace_original": False}
        for blocks in layouts(message):
            try:
                async with self._session.post(url, json=body | {"blocks": blocks}) as response:
                    if response.status == 200:
                        return True
                    log.warning("response url refused", status=response.status)
                    if response.status in SPENT:
                        return False
            except (aiohttp.ClientError, TimeoutError) as error:
                log.warning("response url failed", error=type(error).__name__)  # its text would hold the address
                return False
        return False

    def _is_slack(self, url: str) -> bool:
        parts = urlsplit(url)
        ours = parts.netloc == self._api_host
        return ours or (parts.scheme == "https" and (parts.hostname or "").endswith(SLACK_DOMAINS))

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
