"""Who is in the workspace: a person at the page, and the app's bot user."""

from __future__ import annotations

from bot.playground.workspace.base import Answer, Arguments, Base

TEAM = "T0PLAYGRND"
APP_ID = "A0PLAYGRND"
BOT_USER = "U0BOT"
BOT_ID = "B0BOT"
USER = "U0ALICE"
USER_NAME = "alice"


class People(Base):
    """Says who is who."""

    def do_auth_test(self, _: Arguments) -> Answer:
        """auth.test"""
        return {
            "url": "http://localhost/", "team": "playground", "user": "compare-traces", "team_id": TEAM,
            "user_id": BOT_USER, "bot_id": BOT_ID,
        }  # fmt: skip
