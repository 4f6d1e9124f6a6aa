"""What people do in the workspace: type and click."""

from __future__ import annotations

import uuid
from typing import Any

from bot.playground.workspace.app import App, AppError
from bot.playground.workspace.messages import Messages
from bot.playground.workspace.people import APP_ID, TEAM, USER, USER_NAME


class Acting(Messages):
    """The person at the page."""

    def __init__(self, signing_secret: str, channels: dict[str, str]) -> None:
        super().__init__(channels)
        self.app = App(signing_secret)

    async def type(self, channel: str, text: str) -> None:
        """Type a line: a slash command goes to the app, anything else becomes a message."""
        command, _, rest = text.strip().partition(" ")
        if not command.startswith("/"):
            self._say(channel, text)
            return
        fields = {
            "token": "unused", "team_id": TEAM, "team_domain": "playground", "channel_id": channel,
            "channel_name": self.channels[channel], "user_id": USER, "user_name": USER_NAME, "command": command,
            "text": rest, "api_app_id": APP_ID, "is_enterprise_install": "false",
            "response_url": self._response_url(channel), "trigger_id": uuid.uuid4().hex,
        }  # fmt: skip
        try:
            answer = await self.app.command(fields)
        except AppError as error:
            answer = {"text": str(error)}
        if answer:
            self.show_ephemeral(channel, answer)

    def _say(self, channel: str, text: str) -> None:
        message = {"type": "message", "ts": self._ts(channel), "user": USER, "text": text, "blocks": [], "metadata": {}}
        self._put(channel, message)

    async def click(self, channel: str, ts: str, element: dict[str, Any], block_id: str) -> None:
        """Click a button of a message."""
        message = self.find(channel, ts)
        payload = {
            "type": "block_actions", "team": {"id": TEAM, "domain": "playground"}, "api_app_id": APP_ID,
            "user": {"id": USER, "username": USER_NAME, "name": USER_NAME, "team_id": TEAM},
            "container": {"type": "message", "message_ts": ts, "channel_id": channel},
            "trigger_id": uuid.uuid4().hex, "channel": {"id": channel, "name": self.channels[channel]},
            "message": message, "response_url": self._response_url(channel),
            "actions": [{**element, "block_id": block_id, "action_ts": self._ts(channel)}],
        }  # fmt: skip
        try:
            await self.app.interact(payload)
        except AppError as error:
            self.show_ephemeral(channel, {"text": str(error)})

    def _response_url(self, channel: str) -> str:
        return f"{self.base_url}/response/{channel}/{uuid.uuid4().hex}"
