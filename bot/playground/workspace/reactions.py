"""Emoji under messages."""

from __future__ import annotations

from bot.playground.workspace.base import Answer, Arguments, Base, Message, SlackError
from bot.playground.workspace.people import BOT_USER


class Reactions(Base):
    """reactions.*"""

    def do_reactions_add(self, arguments: Arguments) -> Answer:
        """reactions.add"""
        channel = self._channel(arguments)
        message = self.find(channel, str(arguments.get("timestamp")))
        if BOT_USER in _users(message, str(arguments.get("name"))):
            raise SlackError("already_reacted")
        self._toggle(channel, message, str(arguments.get("name")), BOT_USER)
        return {}

    def do_reactions_remove(self, arguments: Arguments) -> Answer:
        """reactions.remove"""
        channel = self._channel(arguments)
        message = self.find(channel, str(arguments.get("timestamp")))
        if BOT_USER not in _users(message, str(arguments.get("name"))):
            raise SlackError("no_reaction")
        self._toggle(channel, message, str(arguments.get("name")), BOT_USER)
        return {}

    def do_reactions_get(self, arguments: Arguments) -> Answer:
        """reactions.get"""
        channel = self._channel(arguments)
        return {"type": "message", "channel": channel, "message": self.find(channel, str(arguments.get("timestamp")))}

    def _toggle(self, channel: str, message: Message, name: str, user: str) -> None:
        """Add a person's emoji, or take it away; the app is told."""
        users = _users(message, name)
        added = user not in users
        users = [*users, user] if added else [other for other in users if other != user]
        others = [its for its in message.get("reactions", []) if its["name"] != name]
        message["reactions"] = [*others, {"name": name, "users": users, "count": len(users)}] if users else others
        self._changed()
        if channel not in self.absent:
            self.app.notify({
                "type": "reaction_added" if added else "reaction_removed", "user": user, "reaction": name,
                "item": {"type": "message", "channel": channel, "ts": message["ts"]},
                "item_user": message.get("user") or "", "event_ts": self._ts(channel),
            })  # fmt: skip


def _users(message: Message, name: str) -> list[str]:
    return next((its["users"] for its in message.get("reactions", []) if its["name"] == name), [])
