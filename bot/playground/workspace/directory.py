"""What is asked about channels and people."""

from __future__ import annotations

from typing import Any

from bot.playground.workspace.base import Answer, Arguments, Base, SlackError
from bot.playground.workspace.people import BOT_ID, BOT_USER, NAMES, TEAM


class Directory(Base):
    """auth.test, users.info, conversations.info and conversations.list"""

    def do_auth_test(self, _: Arguments) -> Answer:
        """auth.test"""
        return {
            "url": "http://localhost/", "team": "playground", "user": "compare-traces", "team_id": TEAM,
            "user_id": BOT_USER, "bot_id": BOT_ID,
        }  # fmt: skip

    def do_users_info(self, arguments: Arguments) -> Answer:
        """users.info"""
        user = str(arguments.get("user") or "")
        if user not in NAMES:
            raise SlackError("user_not_found")
        name = NAMES[user]
        return {
            "user": {
                "id": user, "team_id": TEAM, "name": name, "real_name": name, "deleted": False,
                "is_bot": user == BOT_USER, "profile": {"display_name": name, "real_name": name}, "tz_offset": 0,
            }
        }  # fmt: skip

    def do_conversations_info(self, arguments: Arguments) -> Answer:
        """conversations.info"""
        return {"channel": self._described(self._channel(arguments, member=False))}

    def do_conversations_list(self, _: Arguments) -> Answer:
        """conversations.list"""
        return {
            "channels": [self._described(channel) for channel in self.channels],
            "response_metadata": {"next_cursor": ""},
        }

    def _described(self, channel: str) -> dict[str, Any]:
        return {
            "id": channel, "name": self.channels[channel], "is_channel": True, "is_private": False, "is_im": False,
            "is_archived": False, "is_member": channel not in self.absent, "is_ext_shared": False,
            "context_team_id": TEAM,
        }  # fmt: skip
