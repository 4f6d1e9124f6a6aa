"""Which workspace a call of Slack's Web API is made in, and with whose token.

    payload of team T --> acting_in(T) --> listener, job, delivery --> WorkspaceClient: the token of T

The team travels with the tasks that are started on the way, as the id of the request does; so everything between a
listener and the client is the same for one workspace and for many.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError

from bot.slack.client import WatchedClient

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from slack_sdk.web.async_slack_response import AsyncSlackResponse

_TEAM: ContextVar[str] = ContextVar("team", default="")


def acting_in(team: str) -> None:
    """Make all further calls of the task at hand, and of those that it starts, in a workspace."""
    _TEAM.set(team)


def team_at_hand() -> str:
    """Return the workspace that the task at hand acts in; "" where it was not said."""
    return _TEAM.get()


class WorkspaceClient(WatchedClient):
    """Calls every method with the token of the workspace at hand."""

    def __init__(self, token_of: Callable[[str], Awaitable[str | None]], **options: Any) -> None:
        super().__init__(**options)
        self._token_of = token_of

    async def api_call(self, api_method: str, **arguments: Any) -> AsyncSlackResponse:
        """Call a method; a workspace without an installation fails as Slack itself would say it."""
        token = await self._token_of(_TEAM.get())
        if token is None:
            raise SlackApiError("not installed", {"ok": False, "error": "not_installed_here"})  # type: ignore[no-untyped-call]  # the SDK's
        headers = {**(arguments.pop("headers", None) or {}), "Authorization": f"Bearer {token}"}
        return await super().api_call(api_method, headers=headers, **arguments)
