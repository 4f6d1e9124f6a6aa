"""Who the bot is in its workspace, and whether Slack still takes its token."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog
from slack_sdk.errors import SlackApiError

from bot.slack.refusals import FAILURES, error_code

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

TOKEN_ERRORS = ("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "no_permission")
AGAIN_S = 60.0  # between two questions to Slack
SOON_S = 5.0  # ... while it has not said yet who we are

log = structlog.get_logger()


class Identity:
    """What `auth.test` says."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self.known: dict[str, Any] = {}
        self.refused = ""  # Slack's reason not to take the token

    @property
    def problem(self) -> str:
        """Say why the token cannot be relied on; "" when it can.

        A Slack that cannot be reached does not make a token bad that it has taken before.
        """
        if self.refused:
            return f"Slack refuses SLACK_BOT_TOKEN ({self.refused})"
        return "" if self.known else "Slack has not confirmed SLACK_BOT_TOKEN yet"

    async def ask(self) -> None:
        """Ask Slack once; a Slack that cannot be reached changes nothing."""
        try:
            response = await self._client.auth_test()
        except SlackApiError as error:
            code = error_code(error)
            if code in TOKEN_ERRORS:
                self.refused = code
            log.warning("Slack does not say who I am", error=code)
        except FAILURES as error:
            # Slack may be back before the first request; nothing but the filter of our own messages needs it.
            log.warning("Slack cannot be reached", error=type(error).__name__)
        else:
            self.refused = ""
            self.known = dict(response.data) if isinstance(response.data, dict) else {}

    async def watch(self) -> None:
        """Ask again and again, until cancelled."""
        while True:
            await asyncio.sleep(AGAIN_S if self.known else SOON_S)
            await self.ask()
