"""What people do with messages: type, click, react, and use the app's shortcuts."""

from __future__ import annotations

import copy
import uuid
from typing import Any

from bot.playground.workspace import typed
from bot.playground.workspace.app import AppError
from bot.playground.workspace.base import Message, SlackError
from bot.playground.workspace.conversations import Conversations
from bot.playground.workspace.people import APP_ID, APP_NAME, BOT_USER, TEAM, USER, USER_NAME
from bot.playground.workspace.reactions import Reactions
from bot.playground.workspace.responses import Responses
from bot.playground.workspace.views import Views

Payload = dict[str, Any]


class Acting(Responses, Reactions, Conversations, Views):
    """The person at the page."""

    async def type(self, channel: str, text: str, thread_ts: str | None = None) -> None:
        """Type a line: a slash command goes to the app, anything else becomes a message."""
        name, _, rest = text.strip().partition(" ")
        if not name.startswith("/"):
            self._say(channel, text, thread_ts)
        elif thread_ts:
            self._note(channel, f"`{name}` is not supported in threads. Sorry!", thread_ts)
        elif name == "/invite":
            self._invite(channel)
        else:
            await self._command(channel, name, rest)

    async def _command(self, channel: str, name: str, text: str) -> None:
        if self.app.commands and name not in [its["command"] for its in self.app.commands]:
            self._note(channel, f"`{name}` is not a valid command.")
            return
        fields = {
            "token": "unused", "team_id": TEAM, "team_domain": "playground", "channel_id": channel,
            "channel_name": self.channels[channel], "user_id": USER, "user_name": USER_NAME, "command": name,
            "text": text, "api_app_id": APP_ID, "is_enterprise_install": "false",
            "response_url": self.response_url(channel), "trigger_id": self.trigger(),
        }  # fmt: skip
        try:
            answer = await self.app.command(fields)
        except AppError as error:
            self._note(channel, str(error))
        else:
            if answer:
                self._respond(channel, answer)

    def _say(self, channel: str, line: str, thread_ts: str | None) -> None:
        text, blocks = typed.read(line)
        message: Message = {
            "type": "message", "ts": self._ts(channel), "team": TEAM, "user": USER, "text": text, "blocks": blocks,
            "client_msg_id": str(uuid.uuid4()), **self._in_thread(channel, {"thread_ts": thread_ts}),
        }  # fmt: skip
        self._put(channel, message)
        if f"<@{BOT_USER}>" not in text:
            return
        if channel in self.absent:
            self._note(channel, f"{APP_NAME} is not in this channel: type /invite to let it in.", thread_ts)
            return
        mention = copy.deepcopy(message) | {"type": "app_mention", "channel": channel, "event_ts": message["ts"]}
        self.app.notify(mention)

    def post_as(self, channel: str, message: Message) -> Message:
        """Post a message as another app, which the message names."""
        if channel not in self.channels:
            raise SlackError("channel_not_found")
        return self._put(channel, {"type": "message", "ts": self._ts(channel), "team": TEAM, **message})

    def edit_as(self, channel: str, message: Message, changes: Message) -> Message:
        """Edit a message of another app."""
        before = copy.deepcopy(message)
        message.update(changes)
        self._tell(channel, message, {"subtype": "message_changed", "message": message, "previous_message": before})
        return message

    def _invite(self, channel: str) -> None:
        """Let the app in."""
        self.absent.discard(channel)
        text = f"added <@{BOT_USER}> to the channel."
        self._put(channel, {
            "type": "message", "subtype": "channel_join", "ts": self._ts(channel), "user": USER, "text": text,
        })  # fmt: skip

    def _note(self, channel: str, text: str, thread_ts: str | None = None) -> None:
        """Say something to the person at the page as Slack itself does."""
        note = {"type": "message", "ts": self._ts(channel), "user": "USLACKBOT", "text": text, "ephemeral": True}
        self._put(channel, note | ({"thread_ts": thread_ts} if thread_ts else {}))

    def react(self, channel: str, ts: str, name: str) -> None:
        """Put an emoji under a message, or take it away again."""
        self._toggle(channel, self._public(channel, ts), name, USER)

    async def click(self, channel: str, ts: str, element: dict[str, Any], block_id: str) -> None:
        """Click a button of a message."""
        message = self.find(channel, ts)
        private = bool(message.get("ephemeral"))
        container = {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": private}
        if message.get("thread_ts"):
            container["thread_ts"] = message["thread_ts"]
        shown = {} if private else {"message": self.as_read(channel, message)}
        await self._interact(channel, self._payload(
            "block_actions", container=container, channel=self._named(channel), state={"values": {}}, **shown,
            response_url=self.response_url(channel, message),
            actions=[{**element, "block_id": block_id, "action_ts": self._ts(channel)}],
        ))  # fmt: skip

    async def use_shortcut(self, callback_id: str, channel: str, ts: str | None = None) -> None:
        """Use a shortcut of the app: one of the message at `ts`, or a global one (`channel` is where errors show)."""
        if ts is None:
            payload = self._payload("shortcut", callback_id=callback_id, action_ts=self._ts(channel))
        else:
            message = self._public(channel, ts)
            payload = self._payload(
                "message_action", callback_id=callback_id, action_ts=self._ts(channel), message_ts=ts,
                message=self.as_read(channel, message), channel=self._named(channel),
                response_url=self.response_url(channel),
            )  # fmt: skip
        await self._interact(channel, payload)

    def _public(self, channel: str, ts: str) -> Message:
        message = self.find(channel, ts)
        if message.get("ephemeral"):
            raise SlackError("message_not_found")
        return message

    def _named(self, channel: str) -> dict[str, str]:
        return {"id": channel, "name": self.channels[channel]}

    def _payload(self, kind: str, **more: Any) -> Payload:
        return {
            "type": kind, "token": "unused", "team": {"id": TEAM, "domain": "playground"}, "api_app_id": APP_ID,
            "user": {"id": USER, "username": USER_NAME, "name": USER_NAME, "team_id": TEAM}, "enterprise": None,
            "is_enterprise_install": False, "trigger_id": self.trigger(), **more,
        }  # fmt: skip

    async def _interact(self, channel: str, payload: Payload) -> None:
        try:
            await self.app.interact(payload)
        except AppError as error:
            self._note(channel, str(error))
