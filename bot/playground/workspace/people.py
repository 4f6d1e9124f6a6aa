"""Who is in the workspace: people, and the app's bot user. Pure names; what is asked about them is in `directory`."""

from __future__ import annotations

TEAM = "T0PLAYGRND"
APP_ID = "A0PLAYGRND"
APP_NAME = "Compare Traces"
BOT_USER = "U0BOT"
BOT_ID = "B0BOT"
USER = "U0ALICE"
USER_NAME = "alice"
NAMES = {USER: USER_NAME, BOT_USER: APP_NAME}
