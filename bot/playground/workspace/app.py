"""The app that is installed in the workspace: its requests are signed with the app's secret."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp
from slack_sdk.signature import SignatureVerifier

ANSWER_S = 3.0  # how long Slack waits for an app


class App:
    """Sends requests to the app, and returns what it answers at once."""

    def __init__(self, signing_secret: str) -> None:
        self.url = ""
        self._signer = SignatureVerifier(signing_secret)
        self._session: aiohttp.ClientSession | None = None

    async def command(self, fields: dict[str, str]) -> dict[str, Any]:
        """Send a slash command; returns the message that the app answers, {} for none."""
        return await self._send(urlencode(fields))

    async def interact(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Send a click, a shortcut or a form; returns what the app answers, {} for nothing."""
        return await self._send(urlencode({"payload": json.dumps(payload)}))

    async def _send(self, body: str) -> dict[str, Any]:
        timestamp = str(int(time.time()))
        signature = self._signer.generate_signature(timestamp=timestamp, body=body) or ""
        headers = {
            "Content-Type": "application/x-www-form-urlencoded", "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature,
        }  # fmt: skip
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_S))
        try:
            async with self._session.post(self.url, data=body, headers=headers) as response:
                answer = await response.text()
                if response.status != 200:
                    raise AppError(f"The app answered with status {response.status}.")
        except (aiohttp.ClientError, TimeoutError):
            raise AppError("The app did not answer in time (operation_timeout).") from None
        if not answer.startswith("{"):
            return {"text": answer} if answer else {}
        found: dict[str, Any] = json.loads(answer)
        return found

    async def aclose(self) -> None:
        """Close connections."""
        if self._session is not None:
            await self._session.close()


class AppError(Exception):
    """The app did not do its part; the text is what its user sees."""
