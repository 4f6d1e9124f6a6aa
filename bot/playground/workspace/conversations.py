"""What is read of channels: their history and their threads, page by page."""

from __future__ import annotations

from bot.playground.workspace.base import Answer, Arguments, Base, Message, SlackError

PAGE_LIMIT = 100


class Conversations(Base):
    """conversations.history and conversations.replies"""

    def do_conversations_history(self, arguments: Arguments) -> Answer:
        """conversations.history: root messages, newest first"""
        channel = self._channel(arguments)
        roots = [m for m in self._lasting(channel) if m.get("thread_ts") in (None, m["ts"])]
        return self._page(channel, roots[::-1], arguments)

    def do_conversations_replies(self, arguments: Arguments) -> Answer:
        """conversations.replies: the root of a thread and its replies, oldest first"""
        channel = self._channel(arguments)
        message = next((m for m in self._lasting(channel) if m["ts"] == str(arguments.get("ts"))), None)
        if message is None:
            raise SlackError("thread_not_found")
        ts = message.get("thread_ts") or message["ts"]
        found = [m for m in self._lasting(channel) if ts in (m["ts"], m.get("thread_ts"))]
        return self._page(channel, found, arguments, root_ts=ts)

    def as_read(self, channel: str, message: Message) -> Message:
        """Return a message as Slack gives it out: the root of a thread says that it is one."""
        if message.get("thread_ts"):
            return message
        replies = [m["ts"] for m in self._lasting(channel) if m.get("thread_ts") == message["ts"]]
        if not replies:
            return message
        return message | {"thread_ts": message["ts"], "reply_count": len(replies), "latest_reply": replies[-1]}

    def _lasting(self, channel: str) -> list[Message]:
        """Return the messages that are kept: those for one person are not."""
        return [message for message in self.messages[channel] if not message.get("ephemeral")]

    def _page(self, channel: str, messages: list[Message], arguments: Arguments, root_ts: str = "") -> Answer:
        """Return the page of messages that a call asks for, and the cursor of the next one.

        The root of a thread comes with its replies whatever range is asked for. (Slack leaves out the bounds
        themselves unless `inclusive` is said; nothing here asks for a range without meaning its bounds.)
        """
        oldest, latest = float(arguments.get("oldest") or 0), float(arguments.get("latest") or "inf")
        wanted = [m for m in messages if m["ts"] == root_ts or oldest <= float(m["ts"]) <= latest]
        start, size = int(arguments.get("cursor") or 0), int(arguments.get("limit") or PAGE_LIMIT)
        shown = [self.as_read(channel, message) for message in wanted[start : start + size]]
        if str(arguments.get("include_all_metadata")).lower() not in ("true", "1"):
            shown = [{name: value for name, value in m.items() if name != "metadata"} for m in shown]
        more = len(wanted) > start + size
        cursor = {"next_cursor": str(start + size)} if more else {"next_cursor": ""}
        return {"messages": shown, "has_more": more, "response_metadata": cursor}
