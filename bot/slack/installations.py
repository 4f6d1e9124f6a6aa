"""Several workspaces: who installed the bot, and with which token.

    /slack/install --> Slack asks --> /slack/oauth_redirect --> token, encrypted --> SQLite
    app_uninstalled, tokens_revoked --> deleted

Workspaces are known by their team id alone. Installations for a whole Enterprise Grid organisation are refused: a
token of theirs stands for workspaces that nobody asked.
"""

from __future__ import annotations

import asyncio
import copy
import logging
from typing import TYPE_CHECKING

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from slack_bolt.error import BoltError
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.installation_store.sqlite3 import SQLite3InstallationStore
from slack_sdk.oauth.state_store.sqlite3 import SQLite3OAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient

from bot.settings import SettingsError
from bot.slack.rights import OPTIONAL_SCOPES, SCOPES

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from slack_sdk.oauth.installation_store.models.bot import Bot
    from slack_sdk.oauth.installation_store.models.installation import Installation

    from bot.settings import Settings

SLACK_TIMEOUT_S = 10
STATE_S = 600  # seconds between the click on "install" and the way back

log = structlog.get_logger()


class Installations(AsyncInstallationStore):
    """The workspaces that installed the bot. Tokens are encrypted at rest; the file alone gives nothing away."""

    def __init__(self, file: Path, client_id: str, keys: str, allowed: Collection[str]) -> None:
        """`keys`: Fernet keys, separated by commas; the first encrypts, all decrypt, so that keys can be changed.

        `allowed`: ids of the workspaces that may install the bot. Raises `SettingsError` for what is no key.
        """
        self._allowed = frozenset(allowed)
        try:
            self._cipher = MultiFernet([Fernet(key.strip()) for key in keys.split(",") if key.strip()])
        except ValueError:
            raise SettingsError(
                "SLACK_TOKEN_KEY: must be a key as `python -c 'from cryptography.fernet import Fernet; "
                "print(Fernet.generate_key().decode())'` prints it (several, separated by commas, to change it)"
            ) from None
        self._store = SQLite3InstallationStore(database=str(file), client_id=client_id)

    async def async_save(self, installation: Installation) -> None:
        """Keep an installation; a later one of the same workspace takes its place."""
        if installation.is_enterprise_install or not installation.team_id or not installation.bot_token:
            raise BoltError("installed for no single workspace")
        if installation.team_id not in self._allowed:
            log.warning("a workspace that may not install me tried to", team=installation.team_id)
            raise BoltError("this workspace may not install the app")
        bot = copy.copy(installation.to_bot())
        bot.enterprise_id = None
        bot.bot_token = self._cipher.encrypt(installation.bot_token.encode()).decode()
        bot.bot_refresh_token = None  # tokens do not rotate here
        await self.async_delete_bot(enterprise_id=None, team_id=bot.team_id)
        await asyncio.to_thread(self._store.save_bot, bot)
        log.info("installed", team=bot.team_id)

    async def find(self, team: str) -> Bot | None:
        """Return the bot of a workspace, with its token; None where it is not installed."""
        if team not in self._allowed:
            return None
        bot = await asyncio.to_thread(self._store.find_bot, enterprise_id=None, team_id=team)
        if bot is None:
            return None
        try:
            bot.bot_token = self._cipher.decrypt(bot.bot_token.encode()).decode()
        except InvalidToken:
            log.warning("SLACK_TOKEN_KEY does not open the token of a workspace: install it there again", team=team)
            return None
        return bot

    async def token(self, team: str) -> str | None:
        """Return the token of a workspace; None where the bot is not installed."""
        bot = await self.find(team)
        return bot.bot_token if bot else None

    async def async_delete_bot(self, *, enterprise_id: str | None, team_id: str | None) -> None:  # noqa: ARG002 - the SDK's signature
        """Forget a workspace."""
        await asyncio.to_thread(self._store.delete_bot, enterprise_id=None, team_id=team_id)

    async def forget(self, team: str) -> None:
        """Forget a workspace that uninstalled the bot or took its token back; never raises."""
        await self.async_delete_bot(enterprise_id=None, team_id=team)
        log.info("uninstalled", team=team)


def open_installations(settings: Settings) -> Installations | None:
    """Open what several workspaces installed; None where one is served with a token of its own."""
    if not settings.slack_client_id:
        return None
    if not settings.slack_client_secret.get_secret_value():
        raise SettingsError(
            "SLACK_CLIENT_SECRET: needed beside SLACK_CLIENT_ID (Basic Information in the app's settings)"
        )
    if not settings.allowed_teams:
        raise SettingsError(
            "ALLOWED_TEAMS: name the workspaces that may install the bot (T0123...): they can read your traces"
        )
    return Installations(
        settings.installations_file, settings.slack_client_id, settings.slack_token_key.get_secret_value(),
        settings.allowed_teams,
    )  # fmt: skip


def install_flow(settings: Settings, installations: Installations) -> AsyncOAuthFlow:
    """Return the two pages by which the bot is installed."""
    redirect = f"{settings.public_url}/slack/oauth_redirect" if settings.public_url else None
    logger = logging.getLogger("slack_bolt.compare_traces.oauth")
    logger.setLevel(logging.ERROR)
    return AsyncOAuthFlow(
        client=AsyncWebClient(base_url=settings.slack_api_url + "/", timeout=SLACK_TIMEOUT_S),
        logger=logger,
        settings=AsyncOAuthSettings(
            client_id=settings.slack_client_id,
            client_secret=settings.slack_client_secret.get_secret_value(),
            scopes=[*SCOPES, *OPTIONAL_SCOPES],
            redirect_uri=redirect,
            installation_store=installations,
            installation_store_bot_only=True,
            state_store=SQLite3OAuthStateStore(database=str(settings.installations_file), expiration_seconds=STATE_S),
            state_expiration_seconds=STATE_S,
        ),
    )
