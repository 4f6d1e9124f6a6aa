"""Secrets: from the environment, or from files that it names; never from the file that everybody reads."""

from __future__ import annotations

import os
from pathlib import Path

from bot.settings.error import SettingsError

SHORTEST_TOKEN = 20  # characters: what can be guessed protects nothing
SECRETS = (
    "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN", "SLACK_CLIENT_SECRET", "SLACK_TOKEN_KEY", "API_TOKEN",
)  # fmt: skip


def read_secret(name: str) -> str:
    """Read a secret from its variable, or from the file that `<name>_FILE` names; "" when neither is set."""
    file = os.environ.get(f"{name}_FILE")
    if os.environ.get(name) or not file:
        return os.environ.get(name, "").strip()
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SettingsError(f"{name}_FILE: cannot read {file}: {what}") from None
