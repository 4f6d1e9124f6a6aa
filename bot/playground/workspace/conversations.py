"""What is read of channels: their history and their threads, page by page."""

from __future__ import annotations

from bot.playground.workspace.base import Answer, Arguments, Base, Message, SlackError

PAGE_LIMIT = 100


class Conversations(Base):
    """conversations.*"""

    def do_conversations_history(self, arguments: Arguments) -> Answer:
        """conversations.history: root messages, newest first"""
        channel = self._channel(arguments)
        roots = [m for m in self.messages[channel] if m.get("thread_ts") in (None, m["ts"]) and not m.get("ephemeral")]
        return _page(roots[::-1], arguments)

    def do_conversations_replies(self, arguments: Arguments) -> Answer:
        """conversations.replies: the root of a thread and its replies, oldest first"""
        channel = self._channel(arguments)
        message = next((m for m in self.messages[channel] if m["ts"] == str(arguments.get("ts"))), None)
        if message is None or message.get("ephemeral"):
            raise SlackError("thread_not_found")
        ts = message.get("thread_ts") or message["ts"]
        found = [m for m in self.messages[channel] if ts in (m["ts"], m.get("thread_ts")) and not m.get("ephemeral")]
        return _page(found, arguments, root_ts=ts)


def _page(messages: list[Message], arguments: Arguments, root_ts: str = "") -> Answer:
    """Return the page of messages that a call asks for, and the cursor of the next one.

    The root of a thread comes with its replies whatever range is asked for. (Slack leaves out the bounds themselves
    unless `inclusive` is said; nothing here asks for a range without meaning its bounds.)
    """
    oldest, latest = float(arguments.get("oldest") or 0), float(arguments.get("latest") or "inf")
    wanted = [m for m in messages if m["ts"] == root_ts or oldest <= float(m["ts"]) <= latest]
    start, size = int(arguments.get("cursor") or 0), int(arguments.get("limit") or PAGE_LIMIT)
    more = len(wanted) > start + size
    cursor = {"next_cursor": str(start + size)} if more else {"next_cursor": ""}
    return {"messages": wanted[start : start + size], "has_more": more, "response_metadata": cursor}
