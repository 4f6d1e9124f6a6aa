"""Who may ask, and where an answer may stand, as far as only Slack can tell.

A channel shared with another organisation shows every answer to strangers, so it is refused unless that is allowed.
Members of user groups change; both are asked for when a request is taken, and remembered for a few minutes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog

from bot.errors import BotError, DeliveryError, UserError
from bot.slack.refusals import NO_METHOD

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.requests.request import Origin
    from bot.settings import Settings
    from bot.slack.post import Delivery

REMEMBER_S = 300.0
MOST = 5_000  # channels and groups remembered
DIRECT = ("D", "U")  # conversations of two people; nobody else reads them

log = structlog.get_logger()


class Permissions:
    """Asks Slack about channels and user groups."""

    def __init__(
        self, client: AsyncWebClient, delivery: Delivery, settings: Settings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._client = client
        self._delivery = delivery
        self._settings = settings
        self._clock = clock
        self._known: dict[tuple[str, str, str], tuple[float, frozenset[str]]] = {}

    async def check(self, origin: Origin) -> None:
        """Refuse who may not ask, and channels where strangers read; raises `UserError`.

        Raises `DeliveryError` for a channel that cannot be seen from outside, as private ones.
        """
        read_by_others = not self._settings.external_channels and not origin.channel.startswith(DIRECT)
        if read_by_others and await self._remembered("channel", origin.team, origin.channel, self._strangers):
            raise UserError("external-channel")
        groups = self._settings.allowed_user_groups
        if groups and not origin.watched and origin.user not in self._settings.allowed_users:
            for group in groups:
                if origin.user in await self._remembered("group", origin.team, group, self._members):
                    return
            raise UserError("user-refused")

    async def is_open(self, team: str, channel: str) -> bool:
        """Tell whether everybody in a workspace may read a channel, and nobody else; False where Slack says nothing."""
        if channel.startswith(DIRECT):
            return False
        try:
            return bool(await self._remembered("open", team, channel, self._everybody))
        except BotError:
            return False

    async def may_be_read_by_strangers(self, team: str, channel: str) -> bool:
        """Tell whether other organisations read a channel; True where Slack says nothing."""
        if channel.startswith(DIRECT):
            return False
        try:
            return bool(await self._remembered("channel", team, channel, self._strangers))
        except BotError:
            return True

    async def _remembered(
        self, kind: str, team: str, name: str, ask: Callable[[str], Awaitable[frozenset[str]]]
    ) -> frozenset[str]:
        now = self._clock()
        found = self._known.get((kind, team, name))
        if found is not None and found[0] > now:
            return found[1]
        try:
            answer = await ask(name)
        except DeliveryError as error:
            if error.code == "not-in-channel":
                raise
            reason = str(error.fields.get("detail") or error.code)
            log.warning("Slack does not say who may see or ask", about=kind, error=reason)
            raise UserError("cannot-check", reason=reason) from None
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[kind, team, name] = (now + REMEMBER_S, answer)
        return answer

    async def _strangers(self, channel: str) -> frozenset[str]:
        """Return the organisations that a channel is shared with, or will be when they accept."""
        try:
            found = await self._delivery.call(self._client.conversations_info, channel=channel)
        except DeliveryError as error:
            if error.fields.get("detail") == NO_METHOD:
                return frozenset()  # no Slack, and without shared channels
            raise
        answer = found.get("channel") or {}
        shared = answer.get("is_ext_shared") or answer.get("is_pending_ext_shared")
        return frozenset(["another organisation"]) if shared else frozenset()

    async def _everybody(self, channel: str) -> frozenset[str]:
        """Return who may read a channel if that is everybody in its workspace; nobody if it is another kind of one."""
        found = await self._delivery.call(self._client.conversations_info, channel=channel)
        answer = found.get("channel") or {}
        closed = ("is_private", "is_im", "is_mpim", "is_ext_shared", "is_pending_ext_shared")
        is_open = answer.get("is_channel") and not any(map(answer.get, closed))
        return frozenset(["everybody"]) if is_open else frozenset()

    async def _members(self, group: str) -> frozenset[str]:
        answer = await self._delivery.call(self._client.usergroups_users_list, usergroup=group)
        return frozenset(map(str, answer.get("users") or []))
