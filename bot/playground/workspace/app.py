"""The app that is installed in the workspace: its manifest says what it may do and what it is told.

Requests to it are signed with its secret. Without a manifest it may do everything and is told of no event.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from typing import Any
from urllib.parse import urlencode

import aiohttp
from slack_sdk.signature import SignatureVerifier

from bot.playground.workspace.people import APP_ID, BOT_USER, TEAM

ANSWER_S = 3.0  # how long Slack waits for an app
TRIES = 2  # of an event: Slack sends it again at once (and later twice more)
FORM = "application/x-www-form-urlencoded"

# What a call needs; what is not listed needs nothing.
SCOPES = {
    "chat.postMessage": "chat:write", "chat.postEphemeral": "chat:write", "chat.update": "chat:write",
    "chat.delete": "chat:write", "conversations.history": "channels:history",
    "conversations.replies": "channels:history", "conversations.info": "channels:read",
    "conversations.list": "channels:read", "users.info": "users:read", "reactions.add": "reactions:write",
    "reactions.remove": "reactions:write", "reactions.get": "reactions:read",
    "files.getUploadURLExternal": "files:write", "files.completeUploadExternal": "files:write",
}  # fmt: skip


class App:
    """Sends requests to the app, and returns what it answers at once."""

    def __init__(self, signing_secret: str, manifest: dict[str, Any] | None = None) -> None:
        self.url = ""
        features = (manifest or {}).get("features", {})
        self.commands: list[dict[str, str]] = features.get("slash_commands", [])
        self.shortcuts: list[dict[str, str]] = features.get("shortcuts", [])
        self.has_home = bool(features.get("app_home", {}).get("home_tab_enabled"))
        self.scopes: list[str] | None = manifest["oauth_config"]["scopes"]["bot"] if manifest else None
        settings = (manifest or {}).get("settings", {})
        self._events: list[str] = settings.get("event_subscriptions", {}).get("bot_events", [])
        self._signer = SignatureVerifier(signing_secret)
        self._session: aiohttp.ClientSession | None = None
        self._deliveries: set[asyncio.Task[None]] = set()

    def lacks(self, method: str) -> str | None:
        """Return the scope that the app would need to call a method and was not given."""
        needed = SCOPES.get(method)
        return needed if needed and self.scopes is not None and needed not in self.scopes else None

    async def command(self, fields: dict[str, str]) -> dict[str, Any]:
        """Send a slash command; returns the message that the app answers, {} for none."""
        return await self._ask(urlencode(fields))

    async def interact(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Send a click, a shortcut or a form; returns what the app answers, {} for nothing."""
        return await self._ask(urlencode({"payload": json.dumps(payload)}))

    def notify(self, event: dict[str, Any]) -> None:
        """Tell the app of an event that it subscribed to, in the background: Slack waits for no app."""
        wanted = event["type"] in self._events or (event["type"] == "message" and "message.channels" in self._events)
        if wanted and self.url:
            delivery = asyncio.create_task(self._deliver(event))
            self._deliveries.add(delivery)
            delivery.add_done_callback(self._deliveries.discard)

    async def told(self) -> None:
        """Wait until the app has taken every event."""
        while self._deliveries:
            await asyncio.gather(*self._deliveries)

    async def _deliver(self, event: dict[str, Any]) -> None:
        body = json.dumps({
            "type": "event_callback", "token": "unused", "team_id": TEAM, "api_app_id": APP_ID, "event": event,
            "event_id": f"Ev{uuid.uuid4().hex[:9].upper()}", "event_time": int(time.time()),
            "authorizations": [{"team_id": TEAM, "user_id": BOT_USER, "is_bot": True, "enterprise_id": None}],
            "is_ext_shared_channel": False,
        })  # fmt: skip
        again: dict[str, str] = {}
        for number in range(1, TRIES + 1):
            try:
                await self._post(body, "application/json", again)
            except AppError as error:
                again = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": error.reason}
            else:
                return

    async def _ask(self, body: str) -> dict[str, Any]:
        answer = await self._post(body, FORM, {})
        if not answer.startswith("{"):
            return {"text": answer} if answer else {}
        found: dict[str, Any] = json.loads(answer)
        return found

    async def _post(self, body: str, content_type: str, more: dict[str, str]) -> str:
        timestamp = str(int(time.time()))
        signature = self._signer.generate_signature(timestamp=timestamp, body=body) or ""
        headers = {
            "Content-Type": content_type, "X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature,
        } | more  # fmt: skip
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_S))
        try:
            async with self._session.post(self.url, data=body.encode(), headers=headers) as response:
                answer = await response.text()
                if response.status != 200:
                    raise AppError(f"The app answered with status {response.status}.", "http_error")
                return answer
        except (aiohttp.ClientError, TimeoutError):
            raise AppError("The app did not answer in time (operation_timeout).", "http_timeout") from None

    async def aclose(self) -> None:
        """Close connections; what the app was not told yet it is not told any more."""
        for delivery in self._deliveries:
            delivery.cancel()
        await asyncio.gather(*self._deliveries, return_exceptions=True)
        if self._session is not None:
            await self._session.close()


class AppError(Exception):
    """The app did not do its part; the text is what its user sees, `reason` is Slack's word for it."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text)
        self.reason = reason
