"""As whom the bot receives: Bolt asks for each payload, and gets an answer without asking Slack first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slack_bolt.authorization import AuthorizeResult

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.slack.identity import Identity
    from bot.slack.installations import Installations

    Authorize = Callable[..., Awaitable[Any]]  # an AuthorizeResult, or None, which Bolt's own annotation leaves out

# Functions, not methods: Bolt passes arguments by name and would find `self` among those of a method.


def of_one_workspace(identity: Identity, token: str) -> Authorize:
    """The workspace that the token belongs to."""

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=identity.known.get("enterprise_id"),
            team_id=identity.known.get("team_id"),
            bot_user_id=identity.known.get("user_id"),
            bot_id=identity.known.get("bot_id"),
            bot_token=token,
        )

    return authorize


def of_many_workspaces(installations: Installations) -> Authorize:
    """Whichever workspace a payload comes from; None, where the bot is not installed, has Bolt say so."""

    async def authorize(team_id: str | None) -> AuthorizeResult | None:
        bot = await installations.find(team_id or "")
        if bot is None:
            return None
        return AuthorizeResult(
            enterprise_id=None,
            team_id=bot.team_id,
            bot_user_id=bot.bot_user_id,
            bot_id=bot.bot_id,
            bot_token=bot.bot_token,
        )

    return authorize
