"""Messages of the workspace: posted, edited, deleted, and those that one person alone sees."""

from __future__ import annotations

from bot.playground.workspace.base import Answer, Arguments, Base, Message, SlackError
from bot.playground.workspace.people import BOT_ID, BOT_USER
from bot.slack.limits import problems


class Messages(Base):
    """chat.*: refuses what Slack refuses."""

    def do_chat_postMessage(self, arguments: Arguments) -> Answer:  # noqa: N802 - named after Slack's method
        """chat.postMessage"""
        channel = self._channel(arguments)
        message = self._message(channel, arguments)
        thread_ts = arguments.get("thread_ts")
        if thread_ts:
            self.find(channel, str(thread_ts))
            message["thread_ts"] = str(thread_ts)
        self._put(channel, message)
        return {"channel": channel, "ts": message["ts"], "message": message}

    def do_chat_update(self, arguments: Arguments) -> Answer:
        """chat.update"""
        channel = self._channel(arguments)
        message = self.find(channel, str(arguments.get("ts")))
        fresh = self._message(channel, arguments)
        message.update(text=fresh["text"], blocks=fresh["blocks"])
        self._changed()
        return {"channel": channel, "ts": message["ts"], "text": message["text"]}

    def do_chat_delete(self, arguments: Arguments) -> Answer:
        """chat.delete"""
        channel = self._channel(arguments)
        self.messages[channel].remove(self.find(channel, str(arguments.get("ts"))))
        self._changed()
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
        """Show a message to the one person at the page."""
        message = self._message(channel, arguments) | {"ephemeral": True}
        if arguments.get("thread_ts"):
            message["thread_ts"] = str(arguments["thread_ts"])
        return self._put(channel, message)

    def _put(self, channel: str, message: Message) -> Message:
        self.messages[channel].append(message)
        self._changed()
        return message

    def _message(self, channel: str, arguments: Arguments) -> Message:
        """Return a message of the app; raises `SlackError` for what Slack would not take."""
        blocks = arguments.get("blocks") or []
        text = str(arguments.get("text") or "")
        if not text and not blocks:
            raise SlackError("no_text")
        if problems({"text": text or "-", "blocks": blocks}):
            raise SlackError("invalid_blocks")
        return {
            "type": "message", "ts": self._ts(channel), "user": BOT_USER, "bot_id": BOT_ID, "text": text,
            "blocks": blocks, "metadata": arguments.get("metadata") or {},
        }  # fmt: skip
