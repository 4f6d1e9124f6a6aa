"""Messages of the workspace: posted, edited, deleted, and those that one person alone sees.

The app is told of every message but those that one person alone sees, of its own as well.
"""

from __future__ import annotations

import copy

from bot.playground.workspace.base import Answer, Arguments, Base, Message, SlackError
from bot.playground.workspace.people import APP_ID, APP_NAME, BOT_ID, BOT_USER, TEAM
from bot.slack.limits import TEXT, problems


class Messages(Base):
    """chat.*: refuses what Slack refuses."""

    def do_chat_postMessage(self, arguments: Arguments) -> Answer:  # noqa: N802 - named after Slack's method
        """chat.postMessage"""
        channel = self._channel(arguments)
        message = self._put(channel, self._message(channel, arguments) | self._in_thread(channel, arguments))
        return {"channel": channel, "ts": message["ts"], "message": message}

    def do_chat_update(self, arguments: Arguments) -> Answer:
        """chat.update: text alone removes the blocks"""
        channel = self._channel(arguments)
        message = self._own(channel, arguments, "cant_update_message")
        if len(str(arguments.get("text") or "")) > TEXT:
            raise SlackError("msg_too_long")
        self._replace(channel, message, arguments)
        return {"channel": channel, "ts": message["ts"], "text": message["text"]}

    def do_chat_delete(self, arguments: Arguments) -> Answer:
        """chat.delete"""
        channel = self._channel(arguments)
        self._remove(channel, self._own(channel, arguments, "cant_delete_message"))
        return {"channel": channel, "ts": arguments.get("ts")}

    def do_chat_postEphemeral(self, arguments: Arguments) -> Answer:  # noqa: N802 - named after Slack's method
        """chat.postEphemeral"""
        message = self.show_ephemeral(self._channel(arguments), arguments)
        return {"message_ts": message["ts"]}

    def do_chat_getPermalink(self, arguments: Arguments) -> Answer:  # noqa: N802 - named after Slack's method
        """chat.getPermalink"""
        channel = self._channel(arguments)
        message = self.find(channel, str(arguments.get("message_ts")))
        return {"channel": channel, "permalink": f"{self.base_url}/#{channel}/{message['ts']}"}

    def show_ephemeral(self, channel: str, arguments: Arguments) -> Message:
        """Show a message of the app to the one person at the page."""
        message = self._message(channel, arguments) | {"ephemeral": True}
        if arguments.get("thread_ts"):
            message["thread_ts"] = str(arguments["thread_ts"])
        return self._put(channel, message)

    def _own(self, channel: str, arguments: Arguments, otherwise: str) -> Message:
        """Return a message that the app may change."""
        message = self.find(channel, str(arguments.get("ts")))
        if message.get("ephemeral"):
            raise SlackError("message_not_found")
        if message.get("bot_id") != BOT_ID:
            raise SlackError(otherwise)
        return message

    def _put(self, channel: str, message: Message) -> Message:
        self.messages[channel].append(message)
        self._tell(channel, message, {})
        return message

    def _replace(self, channel: str, message: Message, arguments: Arguments) -> None:
        before = copy.deepcopy(message)
        fresh = self._message(channel, arguments)
        message.update(text=fresh["text"], blocks=fresh["blocks"])
        if arguments.get("metadata"):
            message["metadata"] = fresh["metadata"]
        change = {"subtype": "message_changed", "message": message, "previous_message": before}
        self._tell(channel, message, change)

    def _remove(self, channel: str, message: Message) -> None:
        self.messages[channel].remove(message)
        change = {"subtype": "message_deleted", "deleted_ts": message["ts"], "previous_message": message}
        self._tell(channel, message, change)

    def _tell(self, channel: str, message: Message, change: Message) -> None:
        """Tell the page, and the app: of a new message as it is, of a change what changed."""
        self._changed()
        if message.get("ephemeral") or channel in self.absent:
            return
        ts = self._ts(channel) if change else message["ts"]
        what = {"type": "message", "hidden": True, **change} if change else message
        where = {"channel": channel, "channel_type": "channel", "ts": ts, "event_ts": ts}
        self.app.notify(copy.deepcopy(what) | where)

    def _in_thread(self, channel: str, arguments: Arguments) -> Message:
        """Return the thread that a message is meant for, once it is certain that there is one."""
        thread_ts = arguments.get("thread_ts")
        if not thread_ts:
            return {}
        self.find(channel, str(thread_ts))
        return {"thread_ts": str(thread_ts)}

    def _message(self, channel: str, arguments: Arguments) -> Message:
        """Return a message of the app; raises `SlackError` for what Slack would not take."""
        blocks = arguments.get("blocks") or []
        text = str(arguments.get("text") or "")
        if not text and not blocks:
            raise SlackError("no_text")
        if problems({"text": text or "-", "blocks": blocks}):
            raise SlackError("invalid_blocks")
        return {
            "type": "message", "ts": self._ts(channel), "team": TEAM, "user": BOT_USER, "bot_id": BOT_ID,
            "app_id": APP_ID, "bot_profile": {"id": BOT_ID, "app_id": APP_ID, "name": APP_NAME}, "text": text,
            "blocks": blocks, "metadata": arguments.get("metadata") or {},
        }  # fmt: skip
