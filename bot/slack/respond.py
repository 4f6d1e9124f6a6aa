"""Answers through a `response_url`: seen by one person, possible where the bot is no member of the channel."""

from __future__ import annotations

import json
from enum import Enum
from http import HTTPStatus
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


REFUSED = 400  # also said as a 200 whose body is an error


class Heard(Enum):
    """Whether Slack took what it was told."""

    YES = "yes"
    NO = "no"
    PERHAPS = "perhaps"  # the connection broke after it was told


class Responder:
    """Posts to response URLs of Slack's own hosts (or of the configured API's host)."""

    def __init__(self, api_url: str) -> None:
        self._api_host = urlsplit(api_url).netloc
        self._session: aiohttp.ClientSession | None = None

    async def respond(self, url: str, message: Message) -> Heard:
        """Post an ephemeral message."""
        body: dict[str, Any] = {"response_type": "ephemeral", "text": message.text, "replace_original": False}
        for blocks in layouts(message):
            status = await self._post(url, body | {"blocks": blocks})
            if isinstance(status, Heard):
                return status
            if status in SPENT or status >= 500:
                break
        return Heard.NO

    async def take_away(self, url: str) -> Heard:
        """Delete the message whose button gave the address."""
        status = await self._post(url, {"delete_original": True})
        return status if isinstance(status, Heard) else Heard.NO

    async def _post(self, url: str, body: dict[str, Any]) -> Heard | int:
        """Say something; returns what became of it, or the status with which it was refused."""
        if not self._is_slack(url):
            return Heard.NO  # a forged request must not make us post elsewhere
        if self._session is None:
            # A connection that was kept and has gone stale breaks like one on which Slack has heard us: keep none.
            connector = aiohttp.TCPConnector(force_close=True)
            self._session = aiohttp.ClientSession(timeout=TIMEOUT, trust_env=True, connector=connector)
        try:
            async with self._session.post(url, json=body) as response:
                status = REFUSED if response.status == HTTPStatus.OK and await _refused(response) else response.status
                if status == HTTPStatus.OK:
                    return Heard.YES
                log.warning("response url refused", status=status)
                return status
        except aiohttp.ClientConnectorError as error:
            log.warning("response url failed", error=type(error).__name__)  # its text would hold the address
            return Heard.NO
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("response url failed", error=type(error).__name__)
            return Heard.PERHAPS

    def _is_slack(self, url: str) -> bool:
        parts = urlsplit(url)
        ours = parts.netloc == self._api_host
        return ours or (parts.scheme == "https" and (parts.hostname or "").endswith(SLACK_DOMAINS))

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


async def _refused(response: aiohttp.ClientResponse) -> bool:
    """Tell whether a 200 says that it was refused: usually its body is the word ok."""
    try:
        said = json.loads(await response.read())
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("ok") is False
